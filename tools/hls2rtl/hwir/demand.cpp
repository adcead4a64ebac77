// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "hwir/demand.hpp"

namespace espalier::hwir {

namespace {

/// Walks from what is observable to what it depends on, until nothing new is wanted.
class Walk {
 public:
  Walk(const Module& m, Demand& demand) : m_(m), d_(demand) {
    do {
      changed_ = false;
      roots();
      for (size_t id = m.nodes.size(); id-- > 0;) propagate(m.nodes[id], d_.nodes[id]);
    } while (changed_);
  }

 private:
  void want(const Value& v, const Bits& mask) {
    unsigned at = 0;
    for (const Seg& s : v.segs()) {
      if (!s.isConstant()) {
        Bits& have = d_.nodes[s.node];
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
      if (!d_.memories[i]) continue;
      for (const Value* v : {&x.read_enable, &x.read_addr, &x.write_enable, &x.write_addr}) {
        wantAll(*v);
      }
      wantAll(x.write_data);
    }
    for (size_t i = 0; i < m_.registers.size(); i++) want(m_.registers[i].next, d_.registers[i]);
  }

  void propagate(const Node& n, const Bits& mask) {
    if (mask.isZero()) return;
    switch (n.op) {
      case Op::kRegister: {
        const Bits wanted = d_.registers[n.index] | mask;
        changed_ |= wanted != d_.registers[n.index];
        d_.registers[n.index] = wanted;
        return;
      }
      case Op::kMemRead:
        changed_ |= !d_.memories[n.index];
        d_.memories[n.index] = true;
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
  Demand& d_;
  bool changed_ = false;
};

}  // namespace

Demand::Demand(const Module& module) {
  for (const Node& n : module.nodes) nodes.emplace_back(n.width);
  for (const Register& r : module.registers) registers.emplace_back(r.width);
  memories.assign(module.memories.size(), false);
  Walk(module, *this);
}

}  // namespace espalier::hwir
