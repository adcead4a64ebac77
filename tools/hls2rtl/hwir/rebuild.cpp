// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "hwir/rebuild.hpp"

namespace espalier::hwir {

Rebuild::Rebuild(const Module& old, const Masks& kept, const Demand* demand)
    : old_(old), b_(old.name, old.loc), kept_(kept), demand_(demand) {
  declare();
}

void Rebuild::run() {
  map_.resize(old_.nodes.size());
  for (size_t id = 0; id < old_.nodes.size(); id++) node(id);
  effects();
}

void Rebuild::declare() {
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

Value Rebuild::translate(const Value& v) const {
  Value r;
  for (const Seg& s : v.segs()) {
    r = r.append(s.isConstant() ? Value(s.bits) : map_[s.node].slice(s.lo, s.width));
  }
  return r;
}

Value Rebuild::registerValue(const Node& n) {
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

void Rebuild::node(size_t id) {
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

Value Rebuild::compute(const Node& n, unsigned lo, unsigned width) {
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
      return memoryData(n.index, b_.memRead({n.index}, never, Value::constant(1, 0)));
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

void Rebuild::effects() {
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

}  // namespace espalier::hwir
