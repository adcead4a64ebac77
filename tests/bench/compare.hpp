// SPDX-License-Identifier: BSD-2-Clause-Patent
// Two flows, or a flow and the raw cipher, that take turns burst by burst, so that whatever the
// machine does meanwhile hits both.  Medians over bursts.
#pragma once

#include <fmt/core.h>

#include <string>

#include "figures.hpp"
#include "raw_burst.hpp"

namespace espalier::bench {

/// A figure's name, without the direction, and what it must be.
struct Goal {
  std::string before, after;  ///< Of the direction in its name.
  Bound bound = Bound::none;
  double must = 0;
};

/// What a packet costs on `flow` (Flow or DeviceFlow).
template <class Flow>
void each_packet(benchmark::State& state, Flow& flow, const Goal& goal) {
  Samples seal, open;
  for (auto _ : state) {
    seal.add(flow.seal());
    open.add(flow.open());
  }
  if (!flow.sound()) state.SkipWithError("a packet was not ok");
  const auto figure = [&](const char* way, Samples& samples) {
    report({goal.before + way + goal.after, samples.median() / flow.burst(), "ns", goal.bound,
            goal.must, ""});
  };
  figure("seal", seal);
  figure("open", open);
}

/// What `flow` costs a packet beyond the raw cipher on the same octets.
template <class Flow>
void over_raw(benchmark::State& state, Flow& flow, const char* who, const Goal& goal) {
  RawBurst raw(flow.clear(), flow.in_place());
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
    report({goal.before + way + goal.after, all - bare, "ns", goal.bound, goal.must,
            fmt::format("{} {:.0f}, raw {:.0f}", who, all, bare)});
  };
  figure("seal", seal, raw_seal);
  figure("open", open, raw_open);
}

/// How much more a packet costs `many` than `one`.
template <class Flow>
void against_one(benchmark::State& state, Flow& many, Flow& one, const Goal& goal) {
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
    report({goal.before + way + goal.after, 100 * (with / without - 1), "%", goal.bound, goal.must,
            fmt::format("{:.0f} ns, {:.0f} ns", with, without)});
  };
  figure("seal", seal_many, seal_one);
  figure("open", open_many, open_one);
}

}  // namespace espalier::bench
