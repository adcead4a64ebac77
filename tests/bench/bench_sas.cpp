// SPDX-License-Identifier: BSD-2-Clause-Patent
// What many SAs cost: each packet on one of them at random, against all packets on one.
#include <fmt/core.h>

#include "flow.hpp"

namespace espalier::bench {
namespace {

constexpr std::uint32_t kMany = 16384;

void many_sas(benchmark::State& state, const char* device, const char* name,
              const std::vector<std::uint32_t>& sizes) {
  FlowOptions options;
  options.device = device;
  options.sizes = sizes;
  options.burst = 60;
  Flow one(options);
  options.sas = kMany;
  Flow many(options);
  Samples seal_one, seal_many, open_one, open_many;
  for (auto _ : state) {
    seal_one.add(one.seal());
    seal_many.add(many.seal());
    open_one.add(one.open());
    open_many.add(many.open());
  }
  if (!one.sound() || !many.sound()) state.SkipWithError("a packet was not ok");
  const auto figure = [&](const char* way, Samples& of_many, Samples& of_one) {
    const double with = of_many.median() / many.burst(), without = of_one.median() / one.burst();
    report({fmt::format("16,384 SAs against 1, {} {}, {}", way, name, device),
            100 * (with / without - 1), "%", Bound::at_most, 15,
            fmt::format("{:.0f} ns, {:.0f} ns", with, without)});
  };
  figure("seal", seal_many, seal_one);
  figure("open", open_many, open_one);
}

BENCHMARK_CAPTURE(many_sas, imix, "software", "IMIX", kImix)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(many_sas, 1424, "software", "1424", {1424})->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace espalier::bench
