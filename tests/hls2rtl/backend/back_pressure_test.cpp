// SPDX-License-Identifier: BSD-2-Clause-Patent
// The FIFO depths that planFifos computes are enough: in random stage graphs no stage ever waits
// for a word that a deeper FIFO would have held, whatever the back-pressure at the output.
#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "pass_stage.hpp"

namespace espalier::backend {
namespace {

using Random = std::mt19937;

/// Call 0 takes the engine's input, the last one writes its output; each other one lies between.
Engine randomEngine(Random& random) {
  const unsigned calls = 3 + random() % 6;
  std::vector<std::vector<std::string>> ins(calls), outs(calls);
  Engine e;
  e.name = "random";
  e.calls.resize(calls);
  const auto connect = [&](int from, int to) {
    const auto stream = unsigned(e.streams.size());
    e.streams.push_back({"s" + std::to_string(stream), 8, 0, from < 0 || to < 0, {}});
    if (from >= 0) {
      outs[from].push_back("o" + std::to_string(outs[from].size()));
      e.calls[from].connections.push_back({outs[from].back(), stream});
    }
    if (to >= 0) {
      ins[to].push_back("i" + std::to_string(ins[to].size()));
      e.calls[to].connections.push_back({ins[to].back(), stream});
    }
  };
  connect(-1, 0);
  for (unsigned c = 1; c < calls; ++c) {
    const unsigned ways = 1 + random() % 2;
    for (unsigned w = 0; w < ways; ++w) connect(int(random() % c), int(c));
  }
  for (unsigned c = 0; c + 1 < calls; ++c) {
    if (outs[c].empty()) connect(int(c), int(calls) - 1);
  }
  connect(int(calls) - 1, -1);
  for (unsigned c = 0; c < calls; ++c) {
    const std::string name = "c" + std::to_string(c);
    e.stages.push_back(pass(name, ins[c], outs[c], random() % 9));
    e.calls[c].instance = name;
    e.calls[c].stage = c;
  }
  return e;
}

/// The engine clock by clock, as esp_fifo and free-running stages behave; words are only counted.
class Model {
 public:
  Model(const Engine& e, const FifoPlan& plan) : plan_(plan), fifos_(plan.fifos.size()) {
    for (size_t i = 0; i < fifos_.size(); ++i) fifos_[i].depth = plan.fifos[i].depth;
    calls_ = unsigned(e.calls.size());
  }
  void setDepth(size_t i, int depth) { fifos_[i].depth = depth; }

  /// One clock, in which there is always a word to take at the input.  Returns whether a word left.
  bool clock(bool out_ready) {
    ++now_;
    std::vector<bool> pops(fifos_.size()), fires(calls_, true);
    for (size_t i = 0; i < fifos_.size(); ++i) {
      const Fifo& f = plan_.fifos[i];
      if (f.reader >= 0 && f.writer >= 0 && !offered(i)) fires[f.reader] = false;
      if (f.writer >= 0 && fifos_[i].depth - fifos_[i].held < f.margin) fires[f.writer] = false;
    }
    bool left = false;
    for (size_t i = 0; i < fifos_.size(); ++i) {
      const Fifo& f = plan_.fifos[i];
      if (f.writer < 0) continue;
      pops[i] = f.reader < 0 ? out_ready && offered(i) : bool(fires[f.reader]);
      if (f.reader < 0) left = pops[i];
    }
    for (size_t i = 0; i < fifos_.size(); ++i) {
      const Fifo& f = plan_.fifos[i];
      Words& w = fifos_[i];
      if (f.writer < 0) continue;
      if (fires[f.writer]) w.coming.push_back(now_ + f.margin - 1);
      w.held -= pops[i];
      if (pops[i]) w.offered_from.pop_front();
      if (!w.coming.empty() && w.coming.front() == now_) {
        w.coming.pop_front();
        w.offered_from.push_back(now_ + fifoLatency(w.depth));
        ++w.held;
        EXPECT_LE(w.held, w.depth);
      }
    }
    return left;
  }

 private:
  struct Words {
    int depth = 0, held = 0;
    std::deque<long> coming, offered_from;  // clocks
  };
  bool offered(size_t i) const {
    return !fifos_[i].offered_from.empty() && fifos_[i].offered_from.front() <= now_;
  }

  const FifoPlan& plan_;
  std::vector<Words> fifos_;
  unsigned calls_ = 0;
  long now_ = 0;
};

/// Clocks in which the output could have given a word and had none, once the first was there.
unsigned bubbles(Model model, Random random) {
  unsigned count = 0;
  bool begun = false, ready = true;
  for (unsigned clock = 0, left = 300; clock < 6000; ++clock) {
    if (left-- == 0) {
      ready = !ready;
      left = random() % 4 ? random() % 6 : random() % 300;
    }
    const bool word = model.clock(ready);
    begun |= word;
    count += begun && ready && !word;
  }
  return count;
}

TEST(BackPressure, LeavesNoBubble) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const Engine e = randomEngine(random);
    const FifoPlan plan = planFifos(e);
    Model model(e, plan);
    for (size_t i = 0; i < plan.fifos.size(); ++i) {
      if (plan.fifos[i].writer >= 0) model.setDepth(i, plan.fifos[i].minimum);
    }
    ASSERT_EQ(bubbles(model, random), 0u);
  }
}

TEST(BackPressure, OneWordLessAndABubbleComes) {
  Engine e;
  e.stages = {pass("a", {"in"}, {"out"}, 5), pass("b", {"in"}, {"out"}, 3)};
  e.streams = {{"in", 8, 0, true, {}}, {"between", 8, 0, false, {}}, {"out", 8, 0, true, {}}};
  e.calls = {{"a", 0, {{"in", 0}, {"out", 1}}, {}}, {"b", 1, {{"in", 1}, {"out", 2}}, {}}};
  const FifoPlan plan = planFifos(e);
  for (size_t i : {1, 2}) {
    Model model(e, plan);
    model.setDepth(i, plan.fifos[i].minimum);
    EXPECT_EQ(bubbles(model, Random(1)), 0u);
    model.setDepth(i, plan.fifos[i].minimum - 1);
    EXPECT_GT(bubbles(model, Random(1)), 0u) << e.streams[i].name;
  }
}

}  // namespace
}  // namespace espalier::backend
