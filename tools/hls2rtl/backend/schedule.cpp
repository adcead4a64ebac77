// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "backend/schedule.hpp"

#include <algorithm>
#include <queue>
#include <set>

#include "backend/graph.hpp"
#include "hwir/error.hpp"

namespace espalier::backend {

using hwir::Module;
using hwir::NodeId;
using hwir::Seg;
using hwir::Value;

namespace {

class Scheduler {
 public:
  Scheduler(const Module& m, const ScheduleOptions& options)
      : g_(m), options_(options), stage_(g_.size(), 0), timing_(m, stage_) {
    allowed_.assign(g_.units().size(), options.levels);
  }

  Schedule run() {
    for (unsigned u = 0; u < g_.units().size(); u++) placeEarly(u);
    readMemoriesLate();
    for (int round = 0; round < 3; round++) {
      bool moved = false;
      for (unsigned u = static_cast<unsigned>(g_.units().size()); u-- > 0;) moved |= moveLate(u);
      for (unsigned u = 0; u < g_.units().size(); u++) moved |= moveEarly(u);
      if (!moved) break;
    }
    return result();
  }

 private:
  const Graph::Unit& unit(unsigned u) const { return g_.units()[u]; }
  int stageOf(unsigned u) const { return stage_[anchor(u)]; }

  /// An item of the unit that says where the unit is.
  Item anchor(unsigned u) const { return unit(u).items[0]; }

  void place(unsigned u, int stage) {
    for (Item i : unit(u).items) stage_[i] = stage;
  }

  /// Levels of the unit where it stands now; arrivals of its nodes are updated.
  int evaluate(unsigned u) {
    int deepest = 0;
    for (Item i : unit(u).items) {
      if (g_.isNode(i)) {
        timing_.compute(i);
        deepest = std::max(deepest, timing_.level(i));
      } else {
        deepest = std::max(deepest, effectLevel(i));
      }
    }
    return deepest;
  }

  int effectLevel(Item i) const {
    int deepest = 0;
    for (const Value* v : g_.operands(i)) {
      deepest = std::max(deepest, timing_.level(*v, stage_[i]));
    }
    return deepest;
  }

  int earliest(unsigned u) const {
    int s = 0;
    for (Item i : unit(u).items) {
      for (const Graph::Edge& e : g_.before(i)) {
        if (g_.unitOf(e.from) != u) s = std::max(s, stage_[e.from] + e.latency);
      }
    }
    return s;
  }

  /// The latest stage the unit's users allow; a memory's data moves with its address.
  int latest(unsigned u) const {
    int s = INT32_MAX;
    for (Item i : unit(u).items) {
      for (const Graph::Edge& e : g_.after(i)) {
        const unsigned user = g_.unitOf(e.from);
        if (user == u) continue;
        const int data = e.latency > 0 ? latest(user) : stage_[e.from];
        if (data != INT32_MAX) s = std::min(s, data - e.latency);
      }
    }
    return s;
  }

  void placeEarly(unsigned u) {
    const int s = earliest(u);
    if (unit(u).first) {
      place(u, 0);
      const int levels = evaluate(u);
      if (s > 0 || levels > options_.limit) tooDeep(u, levels);
      allowed_[u] = options_.limit;
      return;
    }
    place(u, s);
    int levels = evaluate(u);
    if (levels > options_.levels) {
      place(u, s + 1);
      levels = evaluate(u);
    }
    if (levels > options_.limit && unit(u).recurrence) tooDeep(u, levels);
    allowed_[u] = std::max(options_.levels, levels);
    stages_ = std::max(stages_, stageOf(u) + 1);
  }

  [[noreturn]] void tooDeep(unsigned u, int levels) const {
    std::string state;
    hwir::SourceLoc loc = g_.m.loc;
    for (Item i : unit(u).items) {
      if (g_.isNode(i)) continue;
      if (state.empty() && g_.operands(i).size() == 1) loc = whereOf(i);
      state += (state.empty() ? "" : ", ") + g_.describe(i);
    }
    if (state.empty()) {
      const Item i = unit(u).items[0];
      loc = whereOf(i);
      state = g_.describe(i);
    }
    const std::string why =
        unit(u).first ? "decides about a pop, so it has to fit the first pipeline stage"
                      : "is a recurrence: the next step, one cycle later, needs the result";
    throw hwir::Error(
        loc.str() + ": " + g_.m.name + ": " + state + " " + why + "; it takes " +
        std::to_string(levels) + " LUT levels, " + std::to_string(options_.limit) +
        " are allowed; compute part of it a step ahead, or keep less state in the loop");
  }

  hwir::SourceLoc whereOf(Item i) const {
    if (g_.isNode(i)) return g_.m.locs[g_.m.nodes[i].loc];
    for (unsigned r = 0; r < g_.m.registers.size(); r++) {
      if (g_.regWrite(r) == i) return g_.m.registers[r].loc;
    }
    return g_.m.loc;
  }

  // ----------------------------------------------------------------- fewer pipeline registers

  /// Register bits that carry a node's value to the stages that use it.
  long carried(NodeId n) {
    const unsigned width = g_.m.nodes[n].width;
    last_.assign(width, stage_[n]);
    for (const Graph::Use& use : g_.uses(n)) {
      for (unsigned i = use.lo; i < use.lo + use.width; i++) {
        last_[i] = std::max(last_[i], stage_[use.item]);
      }
    }
    long bits = 0;
    for (int s : last_) bits += s - stage_[n];
    return bits;
  }

  /// Register bits that may change if the unit moves.
  long carriedAround(unsigned u) {
    std::set<NodeId> nodes;
    for (Item i : unit(u).items) {
      if (g_.isNode(i)) nodes.insert(i);
      for (const Value* v : g_.operands(i)) {
        for (const Seg& s : v->segs()) {
          if (!s.isConstant()) nodes.insert(s.node);
        }
      }
      // Memory data moves with its address.
      for (const Graph::Edge& e : g_.after(i)) {
        if (e.latency > 0) nodes.insert(e.from);
      }
    }
    long bits = 0;
    for (NodeId n : nodes) bits += carried(n);
    return bits;
  }

  /// Moves a unit, with the memory data that follows its address; undone by moving it back.
  void shift(unsigned u, int stage) {
    place(u, stage);
    for (Item i : unit(u).items) {
      for (const Graph::Edge& e : g_.after(i)) {
        if (e.latency > 0) stage_[e.from] = stage + e.latency;
      }
    }
  }

  /// Arrivals of the unit and of everything behind it in its stage; whether all is in budget.
  bool settle(unsigned u) {
    const int stage = stageOf(u);
    std::priority_queue<unsigned, std::vector<unsigned>, std::greater<>> todo;
    std::set<unsigned> queued{u};
    todo.push(u);
    bool fits = true;
    while (!todo.empty()) {
      const unsigned v = todo.top();
      todo.pop();
      if (evaluate(v) > allowed_[v]) fits = false;
      for (Item i : unit(v).items) {
        for (const Graph::Edge& e : g_.after(i)) {
          const unsigned w = g_.unitOf(e.from);
          if (e.latency == 0 && stage_[e.from] == stage && queued.insert(w).second) todo.push(w);
        }
      }
    }
    return fits;
  }

  /// Memory data goes where its address goes.
  bool isData(unsigned u) const {
    return std::any_of(unit(u).items.begin(), unit(u).items.end(), [&](Item i) {
      return std::any_of(g_.before(i).begin(), g_.before(i).end(),
                         [](const Graph::Edge& e) { return e.latency > 0; });
    });
  }

  bool tryMove(unsigned u, int to) {
    const int from = stageOf(u);
    const long before = carriedAround(u);
    shift(u, to);
    const bool better = carriedAround(u) < before && settle(u);
    if (!better) {
      shift(u, from);
      settle(u);
    } else if (to < from) {
      resettleUsers(u, from);
    }
    return better;
  }

  /// Users of the unit that stayed behind now see it in a register.
  void resettleUsers(unsigned u, int stage) {
    for (Item i : unit(u).items) {
      for (const Graph::Edge& e : g_.after(i)) {
        if (stage_[e.from] == stage && g_.unitOf(e.from) != u) settle(g_.unitOf(e.from));
      }
    }
  }

  bool movable(unsigned u) const { return !unit(u).first && !isData(u); }

  bool moveLate(unsigned u) {
    if (!movable(u)) return false;
    const int to = latest(u);
    if (to == INT32_MAX) return false;  // an effect nobody waits for stays where it is
    for (int s = to; s > stageOf(u); s--) {
      if (tryMove(u, s)) return true;
    }
    return false;
  }

  bool moveEarly(unsigned u) {
    if (!movable(u)) return false;
    for (int s = earliest(u); s < stageOf(u); s++) {
      if (tryMove(u, s)) return true;
    }
    return false;
  }

  /// Reads memories as late as their users allow: the address travels, the data needn't wait.  All
  /// together, because what they share (an address, a word to be written) has to travel only once.
  void readMemoriesLate() {
    const Stages before = stage_;
    const long bits = carriedAll();
    for (unsigned u = static_cast<unsigned>(g_.units().size()); u-- > 0;) {
      const bool port = std::any_of(unit(u).items.begin(), unit(u).items.end(), [&](Item i) {
        return std::any_of(g_.after(i).begin(), g_.after(i).end(),
                           [](const Graph::Edge& e) { return e.latency > 0; });
      });
      if (!port || !movable(u)) continue;
      const int from = stageOf(u);
      for (int to = latest(u); to != INT32_MAX && to > from; to--) {
        shift(u, to);
        if (settle(u)) break;
        shift(u, from);
      }
    }
    if (carriedAll() >= bits) stage_ = before;
    for (unsigned u = 0; u < g_.units().size(); u++) evaluate(u);
  }

  long carriedAll() {
    long bits = 0;
    for (NodeId n = 0; n < g_.m.nodes.size(); n++) bits += carried(n);
    return bits;
  }

  // ----------------------------------------------------------------------------------- result

  Schedule result() {
    for (unsigned u = 0; u < g_.units().size(); u++) evaluate(u);
    const Module& m = g_.m;
    Schedule r;
    r.stages = stages_;
    r.node.assign(stage_.begin(), stage_.begin() + static_cast<long>(m.nodes.size()));
    for (unsigned i = 0; i < m.registers.size(); i++) r.reg.push_back(stage_[g_.regWrite(i)]);
    for (unsigned i = 0; i < m.outputs.size(); i++) r.push.push_back(stage_[g_.push(i)]);
    for (unsigned i = 0; i < m.memories.size(); i++) {
      r.mem_read.push_back(stage_[g_.memPort(i)]);
      r.mem_write.push_back(stage_[g_.memWrite(i)]);
    }
    r.levels.assign(r.stages, 0);
    for (unsigned u = 0; u < g_.units().size(); u++) {
      int deepest = 0;
      for (Item i : unit(u).items) {
        deepest = std::max(deepest, g_.isNode(i) ? timing_.level(i) : effectLevel(i));
      }
      int& level = r.levels[stageOf(u)];
      level = std::max(level, deepest);
      if (unit(u).recurrence) noteRecurrence(r, u, deepest);
    }
    return r;
  }

  void noteRecurrence(Schedule& r, unsigned u, int levels) const {
    Recurrence x;
    x.stage = stageOf(u);
    x.levels = levels;
    for (unsigned i = 0; i < g_.m.registers.size(); i++) {
      if (g_.unitOf(g_.regWrite(i)) != u) continue;
      if (x.registers.empty()) x.loc = g_.m.registers[i].loc;
      x.registers.push_back(g_.m.registers[i].name);
    }
    r.recurrences.push_back(std::move(x));
  }

  const Graph g_;
  const ScheduleOptions options_;
  Stages stage_;  ///< of every item; nodes come first
  Timing timing_;
  std::vector<int> allowed_;  ///< levels a unit may reach
  std::vector<int> last_;
  int stages_ = 1;
};

}  // namespace

Schedule schedule(const Module& module, const ScheduleOptions& options) {
  return Scheduler(module, options).run();
}

std::vector<std::vector<int>> lastUses(const Module& m, const Schedule& s) {
  std::vector<std::vector<int>> last;
  for (NodeId id = 0; id < m.nodes.size(); id++) last.emplace_back(m.nodes[id].width, s.node[id]);
  const auto use = [&](const Value& v, int stage) {
    for (const Seg& seg : v.segs()) {
      if (seg.isConstant()) continue;
      for (unsigned i = seg.lo; i < seg.lo + seg.width; i++) {
        last[seg.node][i] = std::max(last[seg.node][i], stage);
      }
    }
  };
  for (NodeId id = 0; id < m.nodes.size(); id++) {
    for (const Value& v : m.nodes[id].operands) use(v, s.node[id]);
  }
  for (size_t i = 0; i < m.registers.size(); i++) use(m.registers[i].next, s.reg[i]);
  for (const auto& x : m.inputs) use(x.pop, 0);
  for (size_t i = 0; i < m.outputs.size(); i++) {
    use(m.outputs[i].push, s.push[i]);
    use(m.outputs[i].data, s.push[i]);
  }
  for (size_t i = 0; i < m.memories.size(); i++) {
    const auto& x = m.memories[i];
    for (const Value* v : {&x.read_enable, &x.read_addr}) use(*v, s.mem_read[i]);
    for (const Value* v : {&x.write_enable, &x.write_addr, &x.write_data}) {
      use(*v, s.mem_write[i]);
    }
  }
  return last;
}

}  // namespace espalier::backend
