// SPDX-License-Identifier: BSD-2-Clause-Patent
// The software device alone (L0): over the raw cipher, with many SAs, and by libipsec-mb.  What
// complete L1 costs beyond it is the library's (bench_l1.cpp, bench_sas.cpp).
#include <fmt/core.h>

#include "device_flow.hpp"
#include "flow.hpp"
#include "raw_burst.hpp"

namespace espalier::bench {
namespace {

constexpr std::uint32_t kBurst = 60;

void device_over_raw(benchmark::State& state, const char* name,
                     const std::vector<std::uint32_t>& sizes) {
  DeviceFlow flow("software", "aes256gcm16", sizes, 1, sizes[0] > 4096 ? 16 : kBurst);
  RawBurst raw(flow.clear());
  Samples raw_seal, raw_open, seal, open;
  for (auto _ : state) {
    raw_seal.add(raw.seal());
    seal.add(flow.seal());
    raw_open.add(raw.open());
    open.add(flow.open());
  }
  if (!flow.sound() || !raw.sound()) state.SkipWithError("a packet was not ok");
  const auto figure = [&](const char* way, Samples& with, Samples& without) {
    const double all = with.median() / flow.burst(), bare = without.median() / flow.burst();
    report({fmt::format("software device {} {} over raw EVP", way, name), all - bare, "ns",
            Bound::none, 0, fmt::format("device {:.0f}, raw {:.0f}", all, bare)});
  };
  figure("seal", seal, raw_seal);
  figure("open", open, raw_open);
}

void device_sas(benchmark::State& state, const char* name,
                const std::vector<std::uint32_t>& sizes) {
  constexpr std::uint32_t kMany = 16384;  // pairs
  DeviceFlow one("software", "aes256gcm16", sizes, 1, kBurst);
  DeviceFlow many("software", "aes256gcm16", sizes, kMany, kBurst);
  Samples seal_one, seal_many, open_one, open_many;
  for (auto _ : state) {
    seal_one.add(one.seal());
    seal_many.add(many.seal());
    open_one.add(one.open());
    open_many.add(many.open());
  }
  if (!one.sound() || !many.sound()) state.SkipWithError("a packet was not ok");
  const auto figure = [&](const char* way, Samples& of_many, Samples& of_one) {
    const double with = of_many.median() / kBurst, without = of_one.median() / kBurst;
    report({fmt::format("software device, {} SAs against 1, {} {}", kMany, way, name),
            100 * (with / without - 1), "%", Bound::none, 0,
            fmt::format("{:.0f} ns, {:.0f} ns", with, without)});
  };
  figure("seal", seal_many, seal_one);
  figure("open", open_many, open_one);
}

void device_multi_buffer(benchmark::State& state, const char* suite, std::uint32_t size) {
  constexpr std::uint32_t kLanes = 64;  // a multiple of the library's, which are 16
  DeviceFlow flow("software:ipsec-mb", suite, {size}, 1, kLanes);
  Samples seal, open;
  for (auto _ : state) {
    seal.add(flow.seal());
    open.add(flow.open());
  }
  if (!flow.sound()) state.SkipWithError("a packet was not ok");
  const auto figure = [&](const char* way, Samples& samples) {
    report({fmt::format("software:ipsec-mb device {} {} {}", suite, way, size),
            samples.median() / kLanes, "ns", Bound::none, 0, ""});
  };
  figure("seal", seal);
  figure("open", open);
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
