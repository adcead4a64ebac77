// SPDX-License-Identifier: BSD-2-Clause-Patent
// SAs come and go on the control thread while another thread's queue is never idle.
#include <atomic>
#include <thread>

#include "flow.hpp"

namespace espalier::bench {
namespace {

/// One add() and remove() an iteration; an SA counts as added once software can use it.
void add_remove(benchmark::State& state) {
  FlowOptions options;
  options.sas = 64;
  options.sizes = kImix;
  options.burst = 60;
  options.spare_sas = 4096;
  Flow flow(options);
  std::atomic<bool> stop{false};
  std::uint64_t packets = 0;
  std::thread traffic([&] {
    while (!stop.load(std::memory_order_relaxed)) {
      flow.seal();
      flow.open();
      packets += 2 * flow.burst();
    }
  });
  const SaConfig config = flow.spare(1'000'000);
  Context& context = flow.context();
  std::uint64_t pairs = 0, failed = 0;
  Time now{0};
  Lap lap;
  for (auto _ : state) {
    const auto sa = context.add(config);
    if (sa)
      context.remove(*sa);
    else
      ++failed;
    if (++pairs % 64 == 0) context.tick(now += std::chrono::milliseconds(1));
  }
  const double ns = lap.take();
  stop = true;
  traffic.join();
  if (failed != 0 || !flow.sound()) state.SkipWithError("an SA or a packet was lost");
  report({"SA add + remove under traffic", static_cast<double>(pairs) / ns * 1e6, "k/s",
          Bound::at_least, 100, ""});
}

BENCHMARK(add_remove);

}  // namespace
}  // namespace espalier::bench
