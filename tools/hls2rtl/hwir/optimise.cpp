// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "hwir/optimise.hpp"

#include "hwir/builder.hpp"
#include "hwir/error.hpp"

namespace espalier::hwir {

namespace {

using Masks = std::vector<Bits>;

// ------------------------------------------------------------------------------------- demand

/// Which bits of each node and each register anything observable depends on.
class Demand {
 public:
  explicit Demand(const Module& m) : m_(m) {
    for (const Node& n : m.nodes) nodes.emplace_back(n.width);
    for (const Register& r : m.registers) registers.emplace_back(r.width);
    memories.assign(m.memories.size(), false);
    do {
      changed_ = false;
      roots();
      for (size_t id = m.nodes.size(); id-- > 0;) propagate(m.nodes[id], nodes[id]);
    } while (changed_);
  }

  Masks nodes, registers;
  std::vector<bool> memories;  ///< read by anything that matters

 private:
  void want(const Value& v, const Bits& mask) {
    unsigned at = 0;
    for (const Seg& s : v.segs()) {
      if (!s.isConstant()) {
        Bits& have = nodes[s.node];
        const Bits wanted = have | mask.slice(at, s.width).resize(have.width()).shl(s.lo);
        if (wanted != have) {
          have = wanted;
          changed_ = true;
        }
      }
      at += s.width;
    }
  }
  void wantAll(const Value& v) { want(v, Bits::ones(v.width())); }

  void roots() {
    for (const Input& x : m_.inputs) wantAll(x.pop);
    for (const Output& x : m_.outputs) {
      wantAll(x.push);
      wantAll(x.data);
    }
    for (size_t i = 0; i < m_.memories.size(); i++) {
      const Memory& x = m_.memories[i];
      if (!memories[i]) continue;
      for (const Value* v : {&x.read_enable, &x.read_addr, &x.write_enable, &x.write_addr}) {
        wantAll(*v);
      }
      wantAll(x.write_data);
    }
    for (size_t i = 0; i < m_.registers.size(); i++) want(m_.registers[i].next, registers[i]);
  }

  void propagate(const Node& n, const Bits& mask) {
    if (mask.isZero()) return;
    switch (n.op) {
      case Op::kRegister: {
        const Bits wanted = registers[n.index] | mask;
        changed_ |= wanted != registers[n.index];
        registers[n.index] = wanted;
        return;
      }
      case Op::kMemRead:
        changed_ |= !memories[n.index];
        memories[n.index] = true;
        return;
      case Op::kNot:
      case Op::kAnd:
      case Op::kOr:
      case Op::kXor:
        for (const Value& v : n.operands) want(v, mask);
        return;
      case Op::kMux:
        wantAll(n.operands[0]);
        want(n.operands[1], mask);
        want(n.operands[2], mask);
        return;
      case Op::kAdd:
      case Op::kSub:
      case Op::kMul: {
        unsigned top = n.width;
        while (!mask.bit(top - 1)) top--;
        for (const Value& v : n.operands) want(v, Bits::ones(top).resize(n.width));
        return;
      }
      default:
        for (const Value& v : n.operands) wantAll(v);
    }
  }

  const Module& m_;
  bool changed_ = false;
};

// ------------------------------------------------------------------------------------ rebuild

/// Builds `old` again through the builder, with only the register bits in `kept` (all others are
/// constant zero) and only the node bits in `demand` (if given).
class Rebuild {
 public:
  Rebuild(const Module& old, const Masks& kept, const Demand* demand)
      : old_(old), kept_(kept), demand_(demand), b_(old.name, old.loc) {
    declare();
    map_.resize(old.nodes.size());
    for (size_t id = 0; id < old.nodes.size(); id++) node(id);
    effects();
  }

  Value next(size_t reg) { return translate(old_.registers[reg].next); }
  Module take() { return b_.take(); }

 private:
  void declare() {
    for (const Input& x : old_.inputs) b_.addInput(x.name, x.width, x.loc);
    for (const Output& x : old_.outputs) b_.addOutput(x.name, x.width, x.loc);
    for (const Memory& x : old_.memories) {
      b_.addMemory(x.name, x.width, x.depth, x.latency, x.hazard, x.loc);
    }
    for (const Rom& x : old_.roms) roms_.push_back(b_.addRom(x.name, x.words));
    for (size_t i = 0; i < old_.registers.size(); i++) {
      const Register& x = old_.registers[i];
      const unsigned width = kept_[i].popcount();
      regs_.push_back(width ? b_.addRegister(x.name, width, x.loc) : RegisterId{UINT32_MAX});
    }
  }

  Value translate(const Value& v) const {
    Value r;
    for (const Seg& s : v.segs()) {
      r = r.append(s.isConstant() ? Value(s.bits) : map_[s.node].slice(s.lo, s.width));
    }
    return r;
  }

  Value registerValue(const Node& n) {
    const Bits& kept = kept_[n.index];
    if (kept.isZero()) return Value(Bits(n.width));
    const Value packed = b_.reg(regs_[n.index]);
    Value r;
    unsigned at = 0;
    for (unsigned i = 0; i < n.width; i++) {
      r = r.append(kept.bit(i) ? packed.bit(at++) : Value::constant(1, 0));
    }
    return r;
  }

  void node(size_t id) {
    const Node& n = old_.nodes[id];
    unsigned lo = 0;
    unsigned hi = n.width;
    if (demand_) {
      const Bits& mask = demand_->nodes[id];
      if (mask.isZero()) {
        map_[id] = Value(Bits(n.width));
        return;
      }
      while (!mask.bit(lo)) lo++;
      while (!mask.bit(hi - 1)) hi--;
    }
    b_.setLoc(old_.locs[n.loc]);
    const bool bitwise = n.op == Op::kNot || n.op == Op::kAnd || n.op == Op::kOr ||
                         n.op == Op::kXor || n.op == Op::kMux;
    const bool low = n.op == Op::kAdd || n.op == Op::kSub || n.op == Op::kMul;
    if (low) lo = 0;
    if (!bitwise && !low) {
      map_[id] = compute(n, 0, n.width);
    } else {
      map_[id] = Value(Bits(lo)).append(compute(n, lo, hi - lo)).zext(n.width);
    }
    if (!n.name.empty()) b_.setName(map_[id].slice(lo, hi - lo), n.name);
  }

  Value compute(const Node& n, unsigned lo, unsigned width) {
    const auto whole = [&](size_t i) { return translate(n.operands[i]); };
    const auto op = [&](size_t i) { return whole(i).slice(lo, width); };
    const auto fold = [&](auto f) {
      Value r = op(0);
      for (size_t i = 1; i < n.operands.size(); i++) r = f(r, op(i));
      return r;
    };
    const Value never = Value::constant(1, 0);
    switch (n.op) {
      case Op::kRegister:
        return registerValue(n);
      case Op::kEmpty:
        return b_.empty({n.index});
      case Op::kStreamRead:
        return b_.read({n.index}, never);
      case Op::kMemRead:
        return b_.memRead({n.index}, never, Value::constant(1, 0));
      case Op::kNot:
        return b_.notOf(op(0));
      case Op::kAnd:
        return fold([&](auto& a, auto b) { return b_.andOf(a, b); });
      case Op::kOr:
        return fold([&](auto& a, auto b) { return b_.orOf(a, b); });
      case Op::kXor:
        return fold([&](auto& a, auto b) { return b_.xorOf(a, b); });
      case Op::kAdd:
        return b_.add(op(0), op(1));
      case Op::kSub:
        return b_.sub(op(0), op(1));
      case Op::kMul:
        return b_.mul(op(0), op(1));
      case Op::kEq:
        return b_.eq(whole(0), whole(1));
      case Op::kUlt:
        return b_.ult(whole(0), whole(1));
      case Op::kMux:
        return b_.mux(whole(0), op(1), op(2));
      case Op::kShl:
        return b_.shl(whole(0), whole(1));
      case Op::kLshr:
        return b_.lshr(whole(0), whole(1));
      case Op::kRom:
        return b_.rom(roms_[n.index], whole(0));
    }
    return {};
  }

  void effects() {
    for (unsigned i = 0; i < old_.inputs.size(); i++) {
      const Value pop = translate(old_.inputs[i].pop);
      if (!pop.isZero()) b_.read({i}, pop);
    }
    for (unsigned i = 0; i < old_.outputs.size(); i++) {
      b_.write({i}, translate(old_.outputs[i].push), translate(old_.outputs[i].data));
    }
    for (unsigned i = 0; i < old_.memories.size(); i++) {
      const Memory& m = old_.memories[i];
      if (demand_ && !demand_->memories[i]) continue;
      b_.memRead({i}, translate(m.read_enable), translate(m.read_addr));
      b_.memWrite({i}, translate(m.write_enable), translate(m.write_addr), translate(m.write_data));
    }
    for (unsigned i = 0; i < old_.registers.size(); i++) {
      if (kept_[i].isZero()) continue;
      const Value whole = next(i);
      Value packed;
      for (unsigned bit = 0; bit < kept_[i].width(); bit++) {
        if (kept_[i].bit(bit)) packed = packed.append(whole.bit(bit));
      }
      b_.setNext(regs_[i], packed);
    }
  }

  const Module& old_;
  const Masks& kept_;
  const Demand* demand_;
  Builder b_;
  std::vector<RomId> roms_;
  std::vector<RegisterId> regs_;
  std::vector<Value> map_;
};

/// Register bits that can ever leave their reset value, zero: starts from none and adds those whose
/// next value isn't constant zero, until nothing changes.
Masks changingBits(const Module& m) {
  Masks kept;
  for (const Register& r : m.registers) kept.emplace_back(r.width);
  for (bool changed = true; changed;) {
    changed = false;
    Rebuild trial(m, kept, nullptr);
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

/// Only live nodes, operands first.
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

}  // namespace

Module optimise(const Module& module) {
  Masks kept = changingBits(module);
  Module m = Rebuild(module, kept, nullptr).take();
  for (int round = 0; round < 2; round++) {
    const Demand demand(m);
    m = Rebuild(m, demand.registers, &demand).take();
  }
  return tidy(std::move(m));
}

}  // namespace espalier::hwir
