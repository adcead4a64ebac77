// SPDX-License-Identifier: BSD-2-Clause-Patent
// What many SAs cost: each packet on one of them at random, against all packets on one.
#include "compare.hpp"
#include "flow.hpp"

namespace espalier::bench {
namespace {

void many_sas(benchmark::State& state, const char* device, const char* name,
              const std::vector<std::uint32_t>& sizes) {
  FlowOptions options;
  options.device = device;
  options.sizes = sizes;
  options.burst = burst_for(sizes);
  Flow one(options);
  options.sas = kManySas;
  Flow many(options);
  against_one(state, many, one,
              {fmt::format("{} SAs against 1, ", kManySas), fmt::format(" {}, {}", name, device),
               Bound::at_most, 15});
}

BENCHMARK_CAPTURE(many_sas, imix, "software:openssl", "IMIX", kImix)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(many_sas, 1424, "software:openssl", "1424", {1424})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace espalier::bench
