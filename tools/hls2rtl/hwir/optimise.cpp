// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "hwir/optimise.hpp"

#include "hwir/error.hpp"
#include "hwir/rebuild.hpp"

namespace espalier::hwir {

namespace {

Module rebuilt(const Module& m, const Masks& kept, const Demand* demand) {
  Rebuild r(m, kept, demand);
  r.run();
  return r.take();
}

/// Register bits that can ever leave their reset value, zero: starts from none and adds those whose
/// next value isn't constant zero, until nothing changes.
Masks changingBits(const Module& m) {
  Masks kept;
  for (const Register& r : m.registers) kept.emplace_back(r.width);
  for (bool changed = true; changed;) {
    changed = false;
    Rebuild trial(m, kept, nullptr);
    trial.run();
    const Masks before = kept;
    for (size_t i = 0; i < m.registers.size(); i++) {
      const Value next = trial.next(i);
      unsigned at = 0;
      for (const Seg& s : next.segs()) {
        for (unsigned k = 0; k < s.width; k++, at++) {
          if (!kept[i].bit(at) && (!s.isConstant() || s.bits.bit(k))) kept[i].setBit(at, true);
        }
      }
      changed |= kept[i] != before[i];
    }
  }
  return kept;
}

std::string selfAddressed(const Module& m) {
  return m.loc.str() + ": " + m.name +
         ": the address or condition of a memory read depends on data read from the same memory in "
         "the same step; keep the address in a register and read in the next step";
}

/// Live nodes, operands first.  A memory's read comes after what its address and enable depend on,
/// although these are told with the memory.
std::vector<NodeId> liveOrder(const Module& m) {
  const Demand demand(m);
  enum : uint8_t { kNew, kOpen, kDone };
  std::vector<uint8_t> state(m.nodes.size(), kNew);
  std::vector<NodeId> order, todo;
  const auto visit = [&](const Value& v) {
    for (const Seg& s : v.segs()) {
      if (!s.isConstant() && state[s.node] != kDone) todo.push_back(s.node);
    }
  };
  for (NodeId root = 0; root < m.nodes.size(); root++) {
    if (demand.nodes[root].isZero() || state[root] == kDone) continue;
    todo.push_back(root);
    while (!todo.empty()) {
      const NodeId id = todo.back();
      const Node& n = m.nodes[id];
      if (state[id] == kNew) {
        state[id] = kOpen;
        const size_t before = todo.size();
        for (const Value& v : n.operands) visit(v);
        if (n.op == Op::kMemRead) {
          visit(m.memories[n.index].read_addr);
          visit(m.memories[n.index].read_enable);
        }
        for (size_t i = before; i < todo.size(); i++) {
          if (state[todo[i]] == kOpen) throw Error(selfAddressed(m));
        }
      } else {
        todo.pop_back();
        if (state[id] == kOpen) order.push_back(id);
        state[id] = kDone;
      }
    }
  }
  return order;
}

}  // namespace

Module tidy(Module m) {
  std::vector<NodeId> to(m.nodes.size(), kConstant);
  std::vector<Node> nodes;
  const auto renumber = [&](Value& v) {
    Value r;
    for (const Seg& s : v.segs()) {
      const bool dead = !s.isConstant() && to[s.node] == kConstant;
      r.push(dead || s.isConstant() ? Seg{kConstant, 0, s.width, dead ? Bits(s.width) : s.bits}
                                    : Seg{to[s.node], s.lo, s.width, {}});
    }
    v = std::move(r);
  };
  for (NodeId id : liveOrder(m)) {
    to[id] = static_cast<NodeId>(nodes.size());
    nodes.push_back(std::move(m.nodes[id]));
    for (Value& v : nodes.back().operands) renumber(v);
  }
  m.nodes = std::move(nodes);
  for (Input& x : m.inputs) renumber(x.pop);
  for (Output& x : m.outputs) {
    renumber(x.push);
    renumber(x.data);
  }
  for (Register& x : m.registers) renumber(x.next);
  for (Memory& x : m.memories) {
    for (Value* v : {&x.read_enable, &x.read_addr, &x.write_enable, &x.write_addr, &x.write_data}) {
      renumber(*v);
    }
  }
  return m;
}

Module optimise(const Module& module) {
  const Masks kept = changingBits(module);
  Module m = rebuilt(module, kept, nullptr);
  for (int round = 0; round < 2; round++) {
    const Demand demand(m);
    m = rebuilt(m, demand.registers, &demand);
  }
  return tidy(std::move(m));
}

}  // namespace espalier::hwir
