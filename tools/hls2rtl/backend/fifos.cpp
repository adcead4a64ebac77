// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "backend/emit.hpp"
#include "backend/engine.hpp"
#include "hwir/error.hpp"

namespace espalier::backend {

using hwir::Error;
using hwir::Module;

namespace {

class Planner {
 public:
  explicit Planner(const Engine& e) : e_(e) {}

  FifoPlan run() {
    connect();
    order();
    // A deep FIFO is slower, which may make others deeper; depths only grow, so this ends.
    for (bool changed = true; changed;) {
      changed = false;
      timeline();
      restart();
      for (size_t i = 0; i < e_.streams.size(); i++) changed |= size(i);
    }
    check();
    return std::move(plan_);
  }

 private:
  const Module& moduleOf(int call) const { return e_.stages[e_.calls[call].stage].module; }

  void connect() {
    plan_.fifos.resize(e_.streams.size());
    for (int c = 0; c < static_cast<int>(e_.calls.size()); c++) {
      const StageCall& call = e_.calls[c];
      const Stage& stage = e_.stages[call.stage];
      for (const Connection& k : call.connections) {
        Fifo& fifo = plan_.fifos[k.stream];
        const auto named = [&](const auto& port) { return port.name == k.port; };
        const auto& outputs = stage.module.outputs;
        const auto out = std::find_if(outputs.begin(), outputs.end(), named);
        const bool writes = out != outputs.end();
        int& end = writes ? fifo.writer : fifo.reader;
        if (end >= 0) {
          throw Error(fmt::format("{}: stream {} has two {}: {} and {}; give each its own stream",
                                  e_.streams[k.stream].loc.str(), e_.streams[k.stream].name,
                                  writes ? "writers" : "readers", e_.calls[end].instance,
                                  call.instance));
        }
        end = c;
        if (writes) {
          fifo.margin = margin(stage.schedule, static_cast<unsigned>(out - outputs.begin()));
        }
      }
    }
    for (size_t i = 0; i < e_.streams.size(); i++) {
      const Fifo& f = plan_.fifos[i];
      const int ends = (f.writer >= 0) + (f.reader >= 0);
      if (ends == 2 || (ends == 1 && e_.streams[i].external)) continue;
      throw Error(fmt::format("{}: stream {} has no {}; connect it, or make it a port of {}",
                              e_.streams[i].loc.str(), e_.streams[i].name,
                              f.writer < 0 ? "writer" : "reader", e_.name));
    }
  }

  /// Calls so that writers come before readers.
  void order() {
    std::vector<int> waits(e_.calls.size(), 0);
    for (const Fifo& f : plan_.fifos) {
      if (f.writer >= 0 && f.reader >= 0) waits[f.reader]++;
    }
    std::vector<bool> done(e_.calls.size(), false);
    while (order_.size() < e_.calls.size()) {
      const size_t before = order_.size();
      for (int c = 0; c < static_cast<int>(e_.calls.size()); c++) {
        if (done[c] || waits[c]) continue;
        done[c] = true;
        order_.push_back(c);
        for (const Fifo& f : plan_.fifos) {
          if (f.writer == c && f.reader >= 0) waits[f.reader]--;
        }
      }
      if (order_.size() > before) continue;
      std::string cycle;
      for (size_t c = 0; c < done.size(); c++) {
        if (!done[c]) cycle += (cycle.empty() ? "" : ", ") + e_.calls[c].instance;
      }
      throw Error(
          fmt::format("{}: {}: the stage graph has a cycle among {}; a feedback FIFO can "
                      "deadlock: keep the state inside one stage",
                      e_.loc.str(), e_.name, cycle));
    }
  }

  /// When each stage takes, without any stall, what entered the engine in cycle 0.
  void timeline() {
    plan_.start.assign(e_.calls.size(), 0);
    for (int c : order_) {
      for (const Fifo& f : plan_.fifos) {
        if (f.reader == c) plan_.start[c] = std::max(plan_.start[c], offered(f));
      }
    }
    plan_.latency = 0;
    for (const Fifo& f : plan_.fifos) {
      if (f.reader < 0) plan_.latency = std::max(plan_.latency, offered(f));
    }
    for (Fifo& f : plan_.fifos) f.wait = f.reader < 0 ? 0 : plan_.start[f.reader] - offered(f);
  }

  /// When each stage sets out again after a stop that has filled every FIFO, counted from the
  /// engine's last: as soon as each of its outputs has given away the words of its margin.
  void restart() {
    std::vector<int> at(e_.calls.size(), 0);
    for (size_t i = order_.size(); i-- > 0;) {
      for (Fifo& f : plan_.fifos) {
        if (f.writer != order_[i]) continue;
        at[f.writer] = std::max(at[f.writer], f.margin + (f.reader < 0 ? 0 : at[f.reader]));
      }
    }
    for (Fifo& f : plan_.fifos) {
      if (f.writer >= 0) f.refill = at[f.writer] - (f.reader < 0 ? 0 : at[f.reader]);
    }
  }

  /// The engine's inputs come through a register slice.
  int offered(const Fifo& f) const {
    return f.writer < 0 ? 1 : plan_.start[f.writer] + f.margin - 1 + fifoLatency(f.depth);
  }

  bool size(size_t i) {
    Fifo& f = plan_.fifos[i];
    if (f.writer < 0) return false;
    const Stream& s = e_.streams[i];
    f.minimum = f.margin + fifoLatency(f.depth) + std::max(f.wait, f.refill - 1);
    const int before = f.depth;
    const int wanted = s.depth ? static_cast<int>(s.depth)
                               : static_cast<int>(std::bit_ceil(static_cast<unsigned>(f.minimum)));
    f.depth = std::max(f.depth, wanted);
    return f.depth != before;
  }

  void check() const {
    for (size_t i = 0; i < e_.streams.size(); i++) {
      const Fifo& f = plan_.fifos[i];
      const Stream& s = e_.streams[i];
      if (f.writer < 0 || !s.depth || f.depth >= f.minimum) continue;
      throw Error(fmt::format(
          "{}: stream {} holds {} words and needs {}: {} under way in {}, {} in the FIFO itself, "
          "{} while other ways to {} are slower or {} set out again; declare a depth of {}, or "
          "none",
          s.loc.str(), s.name, s.depth, f.minimum, f.margin, e_.calls[f.writer].instance,
          fifoLatency(f.depth), std::max(f.wait, f.refill - 1),
          f.reader < 0 ? "outside" : e_.calls[f.reader].instance, e_.calls[f.writer].instance,
          std::bit_ceil(static_cast<unsigned>(f.minimum))));
    }
  }

  const Engine& e_;
  FifoPlan plan_;
  std::vector<int> order_;
};

}  // namespace

FifoPlan planFifos(const Engine& engine) {
  return Planner(engine).run();
}

}  // namespace espalier::backend
