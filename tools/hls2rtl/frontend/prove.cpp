// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "frontend/prove.hpp"

#include <algorithm>

namespace espalier::frontend {

namespace {

constexpr size_t kMaxNodes = 200000;
struct TooMuch {};

}  // namespace

Prover::Prover(const hwir::Module& module) : module_(module) {
  nodes_ = {{UINT32_MAX, 0, 0}, {UINT32_MAX, 1, 1}};
}

bool Prover::isNever(const hwir::Value& condition) {
  if (condition.isConstant()) return condition.isZero();
  try {
    return bit(condition, 0) == 0;
  } catch (TooMuch) {
    return false;
  }
}

Prover::Ref Prover::bit(const hwir::Value& v, unsigned i) {
  for (const hwir::Seg& s : v.segs()) {
    if (i < s.width) return s.isConstant() ? Ref(s.bits.bit(i)) : nodeBit(s.node, s.lo + i);
    i -= s.width;
  }
  return 0;
}

Prover::Ref Prover::nodeBit(hwir::NodeId id, unsigned i) {
  const auto key = std::pair(id, i);
  if (const auto known = bits_.find(key); known != bits_.end()) return known->second;
  const hwir::Node& n = module_.nodes[id];
  Ref r;
  switch (n.op) {
    case hwir::Op::kNot:
    case hwir::Op::kAnd:
    case hwir::Op::kOr:
    case hwir::Op::kXor:
    case hwir::Op::kMux:
    case hwir::Op::kEq:
      r = compute(n, i);
      break;
    default:
      r = variable();
  }
  return bits_[key] = r;
}

Prover::Ref Prover::compute(const hwir::Node& n, unsigned i) {
  const auto& v = n.operands;
  if (n.op == hwir::Op::kMux) return ite(bit(v[0], 0), bit(v[1], i), bit(v[2], i));
  Ref r = bit(v[0], i);
  if (n.op == hwir::Op::kNot) return ite(r, 0, 1);
  if (n.op == hwir::Op::kEq) {
    r = 1;
    for (unsigned k = 0; k < v[0].width() && r != 0; ++k) {
      const Ref a = bit(v[0], k), b = bit(v[1], k);
      r = ite(r, ite(a, b, ite(b, 0, 1)), 0);
    }
    return r;
  }
  for (size_t k = 1; k < v.size(); ++k) {
    const Ref x = bit(v[k], i);
    if (n.op == hwir::Op::kAnd) r = ite(r, x, 0);
    if (n.op == hwir::Op::kOr) r = ite(r, 1, x);
    if (n.op == hwir::Op::kXor) r = ite(r, ite(x, 0, 1), x);
  }
  return r;
}

Prover::Ref Prover::variable() {
  return make(variables_++, 0, 1);
}

Prover::Ref Prover::make(uint32_t variable, Ref low, Ref high) {
  if (low == high) return low;
  const auto [place, fresh] = unique_.try_emplace({variable, low, high}, Ref(nodes_.size()));
  if (fresh) {
    if (nodes_.size() > kMaxNodes) throw TooMuch();
    nodes_.push_back({variable, low, high});
  }
  return place->second;
}

Prover::Ref Prover::ite(Ref c, Ref t, Ref e) {
  if (c == 1 || t == e) return t;
  if (c == 0) return e;
  if (t == 1 && e == 0) return c;
  const auto key = std::tuple(c, t, e);
  if (const auto known = ite_.find(key); known != ite_.end()) return known->second;
  const uint32_t top = std::min({nodes_[c].variable, nodes_[t].variable, nodes_[e].variable});
  const auto half = [&](Ref r, bool high) {
    if (nodes_[r].variable != top) return r;
    return high ? nodes_[r].high : nodes_[r].low;
  };
  const Ref low = ite(half(c, false), half(t, false), half(e, false));
  const Ref high = ite(half(c, true), half(t, true), half(e, true));
  return ite_[key] = make(top, low, high);
}

}  // namespace espalier::frontend
