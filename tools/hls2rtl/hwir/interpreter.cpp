// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "hwir/interpreter.hpp"

namespace espalier::hwir {

namespace {

/// A shift amount; anything that doesn't fit shifts everything out.
uint64_t amount(const Bits& b) {
  return b.width() > 63 && !b.lshr(63).isZero() ? UINT64_MAX : b.low64();
}

}  // namespace

Bits gather(const Value& v, const std::vector<Bits>& nodes) {
  if (v.segs().size() == 1) {
    const Seg& s = v.segs()[0];
    return s.isConstant() ? s.bits : nodes[s.node].slice(s.lo, s.width);
  }
  std::vector<uint64_t> words((v.width() + 63) / 64);
  unsigned at = 0;
  for (const Seg& s : v.segs()) {
    const Bits part = s.isConstant() ? s.bits : nodes[s.node].slice(s.lo, s.width);
    const unsigned shift = at % 64;
    for (size_t i = 0; i < part.words().size(); i++) {
      const size_t to = at / 64 + i;
      words[to] |= part.words()[i] << shift;
      if (shift && to + 1 < words.size()) words[to + 1] |= part.words()[i] >> (64 - shift);
    }
    at += s.width;
  }
  return Bits::fromWords(v.width(), words);
}

Bits apply(const Module& m, const Node& n, const std::vector<Bits>& in) {
  const auto fold = [&](auto f) {
    Bits r = in[0];
    for (size_t i = 1; i < in.size(); i++) r = f(r, in[i]);
    return r;
  };
  switch (n.op) {
    case Op::kNot:
      return ~in[0];
    case Op::kAnd:
      return fold([](const Bits& a, const Bits& b) { return a & b; });
    case Op::kOr:
      return fold([](const Bits& a, const Bits& b) { return a | b; });
    case Op::kXor:
      return fold([](const Bits& a, const Bits& b) { return a ^ b; });
    case Op::kAdd:
      return in[0] + in[1];
    case Op::kSub:
      return in[0] - in[1];
    case Op::kMul:
      return in[0] * in[1];
    case Op::kEq:
      return Bits(1, in[0] == in[1]);
    case Op::kUlt:
      return Bits(1, in[0].ult(in[1]));
    case Op::kMux:
      return in[0].isZero() ? in[2] : in[1];
    case Op::kShl:
      return in[0].shl(amount(in[1]));
    case Op::kLshr:
      return in[0].lshr(amount(in[1]));
    case Op::kRom:
      return m.roms[n.index].words[in[0].low64()];
    default:
      return Bits(n.width);
  }
}

Interpreter::Interpreter(const Module& module)
    : m_(module),
      nodes_(module.nodes.size()),
      changed_(module.nodes.size()),
      inputs_(module.inputs.size()),
      outputs_(module.outputs.size()) {
  for (const Memory& m : m_.memories) memories_.emplace_back(m.depth, Bits(m.width));
  reset();
}

void Interpreter::reset() {
  registers_.clear();
  for (const Register& r : m_.registers) registers_.emplace_back(r.width);
}

Bits Interpreter::compute(const Node& n) const {
  switch (n.op) {
    case Op::kRegister:
      return registers_[n.index];
    case Op::kEmpty:
      return Bits(1, inputs_[n.index].empty());
    case Op::kStreamRead:
      return inputs_[n.index].empty() ? Bits(n.width) : inputs_[n.index].front();
    case Op::kMemRead: {
      const Memory& m = m_.memories[n.index];
      const uint64_t addr = value(m.read_addr).low64();
      return addr < m.depth ? memories_[n.index][addr] : Bits(n.width);
    }
    default:
      break;
  }
  std::vector<Bits> operands;
  for (const Value& v : n.operands) operands.push_back(value(v));
  return apply(m_, n, operands);
}

/// Operations are functions of their operands; leaves ask the outside.
bool Interpreter::mayChange(const Node& n) const {
  if (fresh_ || n.operands.empty()) return true;
  for (const Value& v : n.operands) {
    for (const Seg& s : v.segs()) {
      if (!s.isConstant() && changed_[s.node]) return true;
    }
  }
  return false;
}

void Interpreter::step() {
  for (size_t id = 0; id < nodes_.size(); id++) {
    changed_[id] = mayChange(m_.nodes[id]);
    if (!changed_[id]) continue;
    Bits bits = compute(m_.nodes[id]);
    changed_[id] = bits != nodes_[id];
    nodes_[id] = std::move(bits);
  }
  fresh_ = false;
  std::vector<Bits> next;
  for (const Register& r : m_.registers) next.push_back(value(r.next));
  for (size_t i = 0; i < m_.inputs.size(); i++) {
    if (!value(m_.inputs[i].pop).isZero()) inputs_[i].pop_front();
  }
  for (size_t i = 0; i < m_.outputs.size(); i++) {
    if (!value(m_.outputs[i].push).isZero()) outputs_[i].push_back(value(m_.outputs[i].data));
  }
  for (size_t i = 0; i < m_.memories.size(); i++) {
    const Memory& m = m_.memories[i];
    const uint64_t addr = value(m.write_addr).low64();
    if (!value(m.write_enable).isZero() && addr < m.depth) {
      memories_[i][addr] = value(m.write_data);
    }
  }
  registers_ = std::move(next);
}

}  // namespace espalier::hwir
