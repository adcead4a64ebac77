// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "backend/graph.hpp"

#include <algorithm>

#include "hwir/error.hpp"

namespace espalier::backend {

using hwir::Hazard;
using hwir::Memory;
using hwir::Node;
using hwir::NodeId;
using hwir::Op;
using hwir::Seg;
using hwir::Value;

Graph::Graph(const hwir::Module& module) : m(module) {
  reg_base_ = static_cast<Item>(m.nodes.size());
  pop_base_ = reg_base_ + static_cast<Item>(m.registers.size());
  push_base_ = pop_base_ + static_cast<Item>(m.inputs.size());
  port_base_ = push_base_ + static_cast<Item>(m.outputs.size());
  write_base_ = port_base_ + static_cast<Item>(m.memories.size());
  operands_.resize(write_base_ + m.memories.size());
  before_.resize(operands_.size());
  after_.resize(operands_.size());
  uses_.resize(m.nodes.size());
  collect();
  fuse();
  findUnits();
  pinFirst();
}

void Graph::collect() {
  for (NodeId id = 0; id < m.nodes.size(); id++) {
    for (const Value& v : m.nodes[id].operands) operands_[id].push_back(&v);
  }
  for (unsigned i = 0; i < m.registers.size(); i++) {
    operands_[regWrite(i)] = {&m.registers[i].next};
  }
  for (unsigned i = 0; i < m.inputs.size(); i++) operands_[pop(i)] = {&m.inputs[i].pop};
  for (unsigned i = 0; i < m.outputs.size(); i++) {
    operands_[push(i)] = {&m.outputs[i].push, &m.outputs[i].data};
  }
  for (unsigned i = 0; i < m.memories.size(); i++) {
    const Memory& x = m.memories[i];
    operands_[memPort(i)] = {&x.read_enable, &x.read_addr};
    operands_[memWrite(i)] = {&x.write_enable, &x.write_addr, &x.write_data};
  }
  for (Item i = 0; i < operands_.size(); i++) {
    std::vector<NodeId> from;
    for (const Value* v : operands_[i]) {
      for (const Seg& s : v->segs()) {
        if (s.isConstant()) continue;
        from.push_back(s.node);
        uses_[s.node].push_back({i, s.lo, s.width});
      }
    }
    std::sort(from.begin(), from.end());
    from.erase(std::unique(from.begin(), from.end()), from.end());
    for (NodeId id : from) link(id, i, 0);
  }
}

void Graph::link(Item from, Item to, int latency) {
  before_[to].push_back({from, latency});
  after_[from].push_back({to, latency});
}

/// Pairs that share a stage depend on each other both ways.
void Graph::fuse() {
  const auto together = [&](Item a, Item b) {
    link(a, b, 0);
    link(b, a, 0);
  };
  for (NodeId id = 0; id < m.nodes.size(); id++) {
    const Node& n = m.nodes[id];
    if (n.op == Op::kRegister) together(id, regWrite(n.index));
    if (n.op == Op::kEmpty || n.op == Op::kStreamRead) together(id, pop(n.index));
    if (n.op == Op::kMemRead) {
      link(memPort(n.index), id, static_cast<int>(m.memories[n.index].latency));
    }
  }
  for (unsigned i = 0; i < m.memories.size(); i++) {
    if (m.memories[i].hazard == Hazard::kPromise) {
      link(memPort(i), memWrite(i), 0);
    } else {
      together(memPort(i), memWrite(i));
    }
  }
}

std::string Graph::describe(Item i) const {
  const auto named = [](const char* what, const std::string& name, const hwir::SourceLoc& loc) {
    return std::string(what) + " " + name + " (" + loc.str() + ")";
  };
  if (i < reg_base_) {
    const Node& n = m.nodes[i];
    if (n.op == Op::kRegister) return describe(regWrite(n.index));
    return named(hwir::name(n.op), n.name, m.locs[n.loc]);
  }
  if (i < pop_base_) {
    const auto& r = m.registers[i - reg_base_];
    return named("register", r.name, r.loc);
  }
  if (i < push_base_) {
    const auto& p = m.inputs[i - pop_base_];
    return named("input", p.name, p.loc);
  }
  if (i < port_base_) {
    const auto& p = m.outputs[i - push_base_];
    return named("output", p.name, p.loc);
  }
  const auto& x = m.memories[(i - port_base_) % m.memories.size()];
  return named("memory", x.name, x.loc);
}

/// Tarjan's strongly connected components, without recursion.  They come out operands first.
void Graph::findUnits() {
  constexpr uint32_t kUnseen = UINT32_MAX;
  std::vector<uint32_t> index(size(), kUnseen), low(size());
  std::vector<bool> open(size(), false);
  std::vector<Item> path;
  std::vector<std::pair<Item, size_t>> calls;
  unit_of_.assign(size(), 0);
  uint32_t count = 0;
  for (Item root = 0; root < size(); root++) {
    if (index[root] != kUnseen) continue;
    calls.emplace_back(root, 0);
    while (!calls.empty()) {
      const Item v = calls.back().first;
      if (calls.back().second == 0) {
        index[v] = low[v] = count++;
        path.push_back(v);
        open[v] = true;
      }
      if (calls.back().second < before_[v].size()) {
        const Item w = before_[v][calls.back().second++].from;
        if (index[w] == kUnseen) {
          calls.emplace_back(w, 0);
        } else if (open[w]) {
          low[v] = std::min(low[v], index[w]);
        }
        continue;
      }
      calls.pop_back();
      if (!calls.empty()) {
        const Item parent = calls.back().first;
        low[parent] = std::min(low[parent], low[v]);
      }
      if (low[v] != index[v]) continue;
      std::vector<Item> items;
      Item w;
      do {
        w = path.back();
        path.pop_back();
        open[w] = false;
        items.push_back(w);
      } while (w != v);
      finishUnit(items);
    }
  }
}

void Graph::finishUnit(const std::vector<Item>& items) {
  Unit unit;
  unit.items = items;
  std::sort(unit.items.begin(), unit.items.end());
  const auto id = static_cast<unsigned>(units_.size());
  for (Item i : unit.items) unit_of_[i] = id;
  for (Item i : unit.items) {
    unit.recurrence |= i >= reg_base_ && i < pop_base_ && unit.items.size() > 2;
    unit.first |= i >= pop_base_ && i < push_base_;
  }
  for (Item i : unit.items) {
    for (const Edge& e : before_[i]) {
      if (e.latency == 0 || !std::binary_search(unit.items.begin(), unit.items.end(), e.from)) {
        continue;
      }
      const Memory& x = m.memories[m.nodes[i].index];
      if (unit.first) failLatePop(e.from);
      std::string what;
      for (Item j : unit.items) {
        if (j >= reg_base_ && j < pop_base_) what += (what.empty() ? "" : ", ") + describe(j);
      }
      throw hwir::Error(
          x.loc.str() + ": memory " + x.name + ": " +
          (what.empty() ? "a write depends on the same step's read of this memory"
                        : "its read or write depends, through " + what + ", on its own data") +
          ", which arrives " + std::to_string(x.latency) +
          " cycles after the next step has read; declare the hazard policy in mem<T, N, LATENCY, "
          "HAZARD> (promise or forward), or keep the word in a register");
    }
  }
  units_.push_back(std::move(unit));
}

void Graph::failLatePop(Item read) const {
  throw hwir::Error(m.loc.str() + ": " + m.name + ": whether an input is popped depends on " +
                    describe(read) +
                    ", which is read after the pops; decide with registers or stream data");
}

/// Whatever a pop depends on is in stage 0 with it, through registers too.
void Graph::pinFirst() {
  for (size_t u = units_.size(); u-- > 0;) {
    if (!units_[u].first) continue;
    for (Item i : units_[u].items) {
      for (const Edge& e : before_[i]) {
        units_[unit_of_[e.from]].first = true;
        if (e.latency > 0) failLatePop(e.from);
      }
    }
  }
}

}  // namespace espalier::backend
