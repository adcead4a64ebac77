// SPDX-License-Identifier: BSD-2-Clause-Patent
/// Comparisons, arithmetic and shifts of the builder: narrowed to the bits that can differ.
#include <algorithm>
#include <cassert>
#include <set>

#include "hwir/builder.hpp"
#include "hwir/operands.hpp"

namespace espalier::hwir {

namespace {

unsigned leadingZeros(const Value& v) {
  if (v.segs().empty() || !v.segs().back().isConstant()) return 0;
  const Seg& top = v.segs().back();
  unsigned n = 0;
  while (n < top.width && !top.bits.bit(top.width - 1 - n)) n++;
  return n;
}

unsigned trailing(const Value& v, bool bit) {
  if (v.segs().empty() || !v.segs().front().isConstant()) return 0;
  const Seg& low = v.segs().front();
  unsigned n = 0;
  while (n < low.width && low.bits.bit(n) == bit) n++;
  return n;
}

}  // namespace

// --------------------------------------------------------------------------------- comparisons

Value Builder::eq(const Value& a, const Value& b) {
  assert(a.width() == b.width());
  std::set<unsigned> cuts{0, a.width()};
  addSegmentCuts(a, cuts);
  addSegmentCuts(b, cuts);
  Value x, y;
  for (auto it = cuts.begin(); *it < a.width();) {
    const unsigned lo = *it;
    const unsigned hi = *++it;
    const Value p = a.slice(lo, hi - lo);
    const Value q = b.slice(lo, hi - lo);
    if (p == q) continue;
    if (p.isConstant() && q.isConstant()) return Value::constant(1, 0);
    x = x.append(p);
    y = y.append(q);
  }
  if (x.width() == 0) return Value::constant(1, 1);
  if (x.isConstant()) std::swap(x, y);
  if (x.width() == 1) {
    if (y.isConstant()) return y.isOnes() ? x : notOf(x);
    return notOf(xor1(x, y));
  }
  if (!y.isConstant() && valueLess(y, x)) std::swap(x, y);
  if (y.isConstant() && x.segs().size() == 1) {
    const Seg& s = x.segs()[0];
    const Node& n = module_.nodes[s.node];
    if (n.op == Op::kMux && n.operands[1].isConstant() && n.operands[2].isConstant()) {
      const bool one = n.operands[1].bits().slice(s.lo, s.width) == y.bits();
      const bool zero = n.operands[2].bits().slice(s.lo, s.width) == y.bits();
      const Value c = n.operands[0];
      return one == zero ? Value::constant(1, one) : one ? c : notOf(c);
    }
  }
  return make(Op::kEq, 1, {x, y});
}

Value Builder::ult(const Value& a, const Value& b) {
  assert(a.width() == b.width());
  const unsigned zeros = std::min(leadingZeros(a), leadingZeros(b));
  if (zeros > 0) {
    const unsigned w = a.width() - zeros;
    if (w == 0) return Value::constant(1, 0);
    return ult(a.slice(0, w), b.slice(0, w));
  }
  if (a == b || b.isZero() || a.isOnes()) return Value::constant(1, 0);
  if (a.isConstant() && b.isConstant()) return Value::constant(1, a.bits().ult(b.bits()));
  // Low bits that can't decide: x < c000 and c111 < x look at the high part only.
  const unsigned skip = b.isConstant()   ? trailing(b, false)
                        : a.isConstant() ? trailing(a, true)
                                         : std::min(trailing(b, false), a.width());
  if (skip > 0) return ult(a.slice(skip, a.width() - skip), b.slice(skip, a.width() - skip));
  if (a.width() == 1) return andOf(notOf(a), b);
  if (a.isZero()) return ne(b, a);
  if (b.isConstant() && b.bits() == Bits(b.width(), 1)) return eq(a, Value(Bits(a.width())));
  if (a.isConstant() && ~a.bits() == Bits(a.width(), 1)) return eq(b, Value(Bits::ones(b.width())));
  return make(Op::kUlt, 1, {a, b});
}

Value Builder::slt(const Value& a, const Value& b) {
  const unsigned top = a.width() - 1;
  const auto biased = [&](const Value& v) { return v.slice(0, top).append(notOf(v.bit(top))); };
  return ult(biased(a), biased(b));
}

// ---------------------------------------------------------------------------------- arithmetic

Value Builder::add(const Value& a, const Value& b) {
  assert(a.width() == b.width());
  const unsigned width = a.width();
  if (a.isZero()) return b;
  if (b.isZero()) return a;
  if (a.isConstant() && b.isConstant()) return Value(a.bits() + b.bits());
  const unsigned low = std::max(trailing(a, false), trailing(b, false));
  if (low > 0) {
    const Value head = bitwise(Op::kOr, a.slice(0, low), b.slice(0, low));
    if (low == width) return head;
    return head.append(add(a.slice(low, width - low), b.slice(low, width - low)));
  }
  const unsigned zeros = std::min(leadingZeros(a), leadingZeros(b));
  if (zeros > 1) {
    const unsigned w = width - zeros + 1;
    return add(a.slice(0, w), b.slice(0, w)).zext(width);
  }
  if (width == 1) return xor1(a, b);
  return valueLess(b, a) ? make(Op::kAdd, width, {b, a}) : make(Op::kAdd, width, {a, b});
}

Value Builder::sub(const Value& a, const Value& b) {
  assert(a.width() == b.width());
  const unsigned width = a.width();
  if (b.isZero()) return a;
  if (a == b) return Value(Bits(width));
  if (b.isConstant()) return add(a, Value(Bits(width) - b.bits()));
  const unsigned low = trailing(b, false);
  if (low > 0) {
    return a.slice(0, low).append(sub(a.slice(low, width - low), b.slice(low, width - low)));
  }
  if (width == 1) return xor1(a, b);
  return make(Op::kSub, width, {a, b});
}

Value Builder::mul(const Value& a, const Value& b) {
  assert(a.width() == b.width());
  const unsigned width = a.width();
  if (a.isConstant() && !b.isConstant()) return mul(b, a);
  if (a.isConstant()) return Value(a.bits() * b.bits());
  if (b.isConstant()) {
    Value r{Bits(width)};
    for (unsigned i = 0; i < width; i++) {
      if (b.bits().bit(i)) r = add(r, a.shlConst(i));
    }
    return r;
  }
  const unsigned wa = width - leadingZeros(a);
  const unsigned wb = width - leadingZeros(b);
  if (wa == 0 || wb == 0) return Value(Bits(width));
  if (wa == 1) return mux(a.bit(0), b, Value(Bits(width)));
  if (wb == 1) return mux(b.bit(0), a, Value(Bits(width)));
  const unsigned w = std::min(width, wa + wb);
  const Value x = a.slice(0, w);
  const Value y = b.slice(0, w);
  return (valueLess(y, x) ? make(Op::kMul, w, {y, x}) : make(Op::kMul, w, {x, y})).zext(width);
}

// -------------------------------------------------------------------------------------- shifts

/// One node shifts by at most four variable bits (two LUT levels), so that wide shifts can be
/// spread over pipeline stages.
Value Builder::shift(Op op, const Value& a, const Value& amount) {
  constexpr unsigned kBitsPerNode = 4;
  const unsigned width = a.width();
  unsigned useful = 0;  // amount bits that shift by less than the width
  while (useful < 31 && (1U << useful) < width) useful++;
  useful = std::min(useful, amount.width());
  Value r = a;
  for (unsigned i = 0; i < useful;) {
    if (amount.bit(i).isConstant()) {
      const unsigned k = amount.bit(i).isOnes() ? 1U << i : 0;
      r = op == Op::kShl ? r.shlConst(k) : r.lshrConst(k);
      i++;
      continue;
    }
    unsigned n = 0;
    while (n < kBitsPerNode && i + n < useful && !amount.bit(i + n).isConstant()) n++;
    if (n == 1) {
      const unsigned k = 1U << i;
      r = mux(amount.bit(i), op == Op::kShl ? r.shlConst(k) : r.lshrConst(k), r);
    } else if (!r.isZero()) {
      r = make(op, width, {r, Value(Bits(i)).append(amount.slice(i, n))});
    }
    i += n;
  }
  const Value rest = amount.slice(useful, amount.width() - useful);
  if (rest.width() == 0) return r;
  return mux(eq(rest, Value(Bits(rest.width()))), r, Value(Bits(width)));
}

Value Builder::shl(const Value& a, const Value& amount) {
  return shift(Op::kShl, a, amount);
}
Value Builder::lshr(const Value& a, const Value& amount) {
  return shift(Op::kLshr, a, amount);
}

Value Builder::ashr(const Value& a, const Value& amount) {
  const Value sign = a.bit(a.width() - 1);
  return mux(sign, notOf(lshr(notOf(a), amount)), lshr(a, amount));
}

}  // namespace espalier::hwir
