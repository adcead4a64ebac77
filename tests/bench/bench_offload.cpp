// SPDX-License-Identifier: BSD-2-Clause-Patent
// What the host pays for a packet that a device does: submit() and poll() over the null device.
#include <fmt/core.h>

#include "flow.hpp"

namespace espalier::bench {
namespace {

constexpr std::uint32_t kBatch = 256;

void offload(benchmark::State& state, bool pool) {
  FlowOptions options;
  options.device = pool ? "null" : "null:staged";
  options.burst = options.batch = kBatch;
  options.pool_memory = pool;
  options.sizes = {64};
  Flow flow(options);
  Samples seal;
  for (auto _ : state) seal.add(flow.seal());
  if (!flow.sound()) state.SkipWithError("a packet was not ok");
  report({fmt::format("offloaded packet, {} memory, batch {}", pool ? "pool" : "staged", kBatch),
          seal.median() / kBatch, "ns", pool ? Bound::at_most : Bound::none, 40, ""});
}

BENCHMARK_CAPTURE(offload, pool, true)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(offload, staged, false)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace espalier::bench
