// SPDX-License-Identifier: BSD-2-Clause-Patent
// The software device alone (L0): over the raw cipher, with many SAs, and by libipsec-mb.  What
// complete L1 costs beyond it is the library's (bench_l1.cpp, bench_sas.cpp).
#include "compare.hpp"
#include "device_flow.hpp"
#include "flow.hpp"

namespace espalier::bench {
namespace {

void device_over_raw(benchmark::State& state, const char* name,
                     const std::vector<std::uint32_t>& sizes) {
  DeviceFlow flow("software:openssl", "aes256gcm16", sizes, 1, burst_for(sizes));
  over_raw(state, flow, "device", {"software device ", fmt::format(" {} over raw EVP", name)});
}

void device_sas(benchmark::State& state, const char* name,
                const std::vector<std::uint32_t>& sizes) {
  DeviceFlow one("software:openssl", "aes256gcm16", sizes, 1, burst_for(sizes));
  DeviceFlow many("software:openssl", "aes256gcm16", sizes, kManySas, burst_for(sizes));
  against_one(
      state, many, one,
      {fmt::format("software device, {} SAs against 1, ", kManySas), fmt::format(" {}", name)});
}

void device_multi_buffer(benchmark::State& state, const char* suite, std::uint32_t size) {
  constexpr std::uint32_t kLanes = 64;  // a multiple of the library's, which are 16
  DeviceFlow flow("software:ipsec-mb", suite, {size}, 1, kLanes);
  each_packet(state, flow,
              {fmt::format("software:ipsec-mb device {} ", suite), fmt::format(" {}", size)});
}

BENCHMARK_CAPTURE(device_multi_buffer, gcm_64, "aes256gcm16", 64);
BENCHMARK_CAPTURE(device_multi_buffer, gcm_1424, "aes256gcm16", 1424);
BENCHMARK_CAPTURE(device_multi_buffer, cbc_64, "aes256-sha256", 64);
BENCHMARK_CAPTURE(device_multi_buffer, cbc_1424, "aes256-sha256", 1424);
BENCHMARK_CAPTURE(device_over_raw, 64, "64", {64})->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(device_over_raw, 1424, "1424", {1424})->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(device_over_raw, 8192, "8192", {8192})->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(device_sas, imix, "IMIX", kImix)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(device_sas, 1424, "1424", {1424})->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace espalier::bench
