// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "frontend/prove.hpp"

#include <algorithm>

namespace espalier::frontend {

namespace {

constexpr size_t kMaxNodes = 400000;
constexpr size_t kMaxArithmetic[] = {0, 500, 20000};  ///< nodes for a bit of one operation
struct TooMuch {};

}  // namespace

Prover::Prover(const hwir::Module& module) : module_(module) {}

bool Prover::isNever(const hwir::Value& condition) {
  if (condition.isConstant()) return condition.isZero();
  for (const size_t arithmetic : kMaxArithmetic) {
    if (arithmetic != arithmetic_ || nodes_.empty()) forget();
    arithmetic_ = arithmetic;
    try {
      if (bit(condition, 0) == 0) return true;
    } catch (TooMuch) {
      forget();
    }
  }
  return false;
}

void Prover::forget() {
  nodes_ = {{UINT32_MAX, 0, 0}, {UINT32_MAX, 1, 1}};
  unique_.clear();
  ite_.clear();
  bits_.clear();
  carries_.clear();
  limit_ = kMaxNodes;
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
      r = compute(id, i);
      break;
    case hwir::Op::kAdd:
    case hwir::Op::kSub:
    case hwir::Op::kEq:
    case hwir::Op::kUlt:
    case hwir::Op::kShl:
    case hwir::Op::kLshr:
    case hwir::Op::kRom:
      r = arithmetic(id, i);
      break;
    default:
      r = variable();
  }
  return bits_[key] = r;
}

Prover::Ref Prover::compute(hwir::NodeId id, unsigned i) {
  const hwir::Node& n = module_.nodes[id];
  const auto& v = n.operands;
  if (n.op == hwir::Op::kMux) return ite(bit(v[0], 0), bit(v[1], i), bit(v[2], i));
  Ref r = bit(v[0], i);
  if (n.op == hwir::Op::kNot) return negated(r);
  for (size_t k = 1; k < v.size(); ++k) {
    const Ref x = bit(v[k], i);
    if (n.op == hwir::Op::kAnd) r = ite(r, x, 0);
    if (n.op == hwir::Op::kOr) r = ite(r, 1, x);
    if (n.op == hwir::Op::kXor) r = ite(r, negated(x), x);
  }
  return r;
}

/// A bit of an operation on numbers; a free variable if that takes too many nodes.
Prover::Ref Prover::arithmetic(hwir::NodeId id, unsigned i) {
  const size_t before = limit_;
  limit_ = std::min(limit_, nodes_.size() + arithmetic_);
  Ref r;
  try {
    const hwir::Node& n = module_.nodes[id];
    switch (n.op) {
      case hwir::Op::kEq:
        r = equal(n);
        break;
      case hwir::Op::kUlt:
        r = negated(carry(id, n.operands[0].width()));
        break;
      case hwir::Op::kRom:
        r = word(n, i, static_cast<int>(n.operands[0].width()) - 1, 0);
        break;
      case hwir::Op::kShl:
      case hwir::Op::kLshr:
        r = shifted(n, i, static_cast<int>(n.operands[1].width()) - 1, 0);
        break;
      default:
        r = sum(n, id, i);
    }
    limit_ = before;
  } catch (TooMuch) {
    limit_ = before;
    r = variable();
  }
  return r;
}

Prover::Ref Prover::equal(const hwir::Node& n) {
  Ref r = 1;
  for (unsigned k = 0; k < n.operands[0].width() && r != 0; ++k) {
    const Ref a = bit(n.operands[0], k), b = bit(n.operands[1], k);
    r = ite(r, ite(a, b, negated(b)), 0);
  }
  return r;
}

Prover::Ref Prover::sum(const hwir::Node& n, hwir::NodeId id, unsigned i) {
  const Ref in = carry(id, i);
  const Ref a = bit(n.operands[0], i), b = bit(n.operands[1], i);
  const Ref half = ite(a, negated(b), b);
  return n.op == hwir::Op::kAdd ? ite(in, negated(half), half) : ite(in, half, negated(half));
}

/// Bit `i` of a variable shift, where the amount's bits above `position` say `distance`.
Prover::Ref Prover::shifted(const hwir::Node& n, unsigned i, int position, uint64_t distance) {
  const bool left = n.op == hwir::Op::kShl;
  if (left ? distance > i : distance >= n.width - i) return 0;
  if (position < 0) {
    const auto by = static_cast<unsigned>(distance);
    return bit(n.operands[0], left ? i - by : i + by);
  }
  const Ref more = bit(n.operands[1], static_cast<unsigned>(position));
  const uint64_t step = position < 32 ? uint64_t{1} << position : n.width;
  const Ref high = more == 0 ? 0 : shifted(n, i, position - 1, distance + step);
  return more == 1 ? high : ite(more, high, shifted(n, i, position - 1, distance));
}

/// Bit `i` of a table's word, where the address' bits above `position` say `address`.
Prover::Ref Prover::word(const hwir::Node& n, unsigned i, int position, uint64_t address) {
  if (position < 0) return module_.roms[n.index].words[address].bit(i);
  const Ref more = bit(n.operands[0], static_cast<unsigned>(position));
  const Ref low = word(n, i, position - 1, address);
  return ite(more, word(n, i, position - 1, address | uint64_t{1} << position), low);
}

/// The carry into bit `i` of a + b, or of a - b = a + ~b + 1; a < b if that has none at the end.
Prover::Ref Prover::carry(hwir::NodeId id, unsigned i) {
  const hwir::Node& n = module_.nodes[id];
  const bool adds = n.op == hwir::Op::kAdd;
  if (i == 0) return adds ? 0 : 1;
  const auto key = std::pair(id, i);
  if (const auto known = carries_.find(key); known != carries_.end()) return known->second;
  const Ref in = carry(id, i - 1);
  const Ref a = bit(n.operands[0], i - 1);
  const Ref b = adds ? bit(n.operands[1], i - 1) : negated(bit(n.operands[1], i - 1));
  return carries_[key] = ite(a, ite(b, 1, in), ite(b, in, 0));
}

Prover::Ref Prover::variable() {
  return make(variables_++, 0, 1);
}

Prover::Ref Prover::make(uint32_t variable, Ref low, Ref high) {
  if (low == high) return low;
  const auto [place, fresh] = unique_.try_emplace({variable, low, high}, Ref(nodes_.size()));
  if (fresh) {
    if (nodes_.size() >= limit_) {
      unique_.erase(place);
      throw TooMuch();
    }
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
