// SPDX-License-Identifier: BSD-2-Clause-Patent
/// Bitwise operations and multiplexers of words.
///
/// A word operation is cut into runs only where that saves logic (a constant or equal part); a
/// short part beside a long one is left in the word, because wide words make short code, fast
/// simulation and readable RTL, and the scheduler looks at single bits anyway.
#include <algorithm>
#include <cassert>
#include <set>

#include "hwir/builder.hpp"
#include "hwir/operands.hpp"

namespace espalier::hwir {

bool valueLess(const Value& a, const Value& b) {
  const auto key = [](const Seg& s) { return std::tuple(s.node, s.lo, s.width); };
  const auto& x = a.segs();
  const auto& y = b.segs();
  for (size_t i = 0; i < std::min(x.size(), y.size()); i++) {
    if (key(x[i]) != key(y[i])) return key(x[i]) < key(y[i]);
    if (x[i].isConstant() && x[i].bits != y[i].bits) return x[i].bits.ult(y[i].bits);
  }
  return x.size() < y.size();
}

void addSegmentCuts(const Value& v, std::set<unsigned>& cuts) {
  unsigned at = 0;
  for (const Seg& seg : v.segs()) cuts.insert(at += seg.width);
}

namespace {

constexpr unsigned kWide = 32;      ///< runs from here on swallow shorter constant neighbours
constexpr unsigned kNarrow = 8;     ///< pieces below are not worth a node of their own
constexpr unsigned kFragments = 3;  ///< this many gates in one word stay together

/// Whether all bits of `v` are one and the same bit of a node.
bool isReplicated(const Value& v) {
  if (v.width() < 2 || v.segs().size() != v.width()) return false;
  const Seg& first = v.segs()[0];
  return std::all_of(v.segs().begin(), v.segs().end(), [&](const Seg& s) { return s == first; });
}

/// Positions where a constant begins, ends, or changes between 0 and 1.
void addConstantCuts(const Value& v, std::set<unsigned>& cuts) {
  unsigned at = 0;
  for (const Seg& seg : v.segs()) {
    if (seg.isConstant()) {
      cuts.insert(at);
      for (unsigned i = 1; i < seg.width; i++) {
        if (seg.bits.bit(i) != seg.bits.bit(i - 1)) cuts.insert(at + i);
      }
      cuts.insert(at + seg.width);
    }
    at += seg.width;
  }
}

struct Run {
  unsigned lo, width;
  bool gate;  ///< needs logic; otherwise one operand's bits, or a constant, pass through
};

/// One run from the first gate to the last, if there are many.
std::vector<Run> joinFragments(const std::vector<Run>& runs) {
  const auto gate = [](const Run& r) { return r.gate; };
  if (std::count_if(runs.begin(), runs.end(), gate) < kFragments) return runs;
  const auto first = std::find_if(runs.begin(), runs.end(), gate);
  const auto last = std::find_if(runs.rbegin(), runs.rend(), gate).base();
  std::vector<Run> r(runs.begin(), first);
  const Run& end = *std::prev(last);
  r.push_back({first->lo, end.lo + end.width - first->lo, true});
  r.insert(r.end(), last, runs.end());
  return r;
}

/// Joins neighbouring gates, and lets a wide gate swallow free runs no longer than itself.
std::vector<Run> joinRuns(const std::vector<Run>& runs) {
  std::vector<Run> r;
  for (Run run : runs) {
    while (!r.empty()) {
      const Run& last = r.back();
      const bool same = last.gate == run.gate && run.gate;
      const bool swallow =
          last.gate != run.gate &&
          std::max(last.gate ? last.width : 0, run.gate ? run.width : 0) >= kWide &&
          (last.gate ? run.width <= last.width : last.width <= run.width);
      if (!same && !swallow) break;
      run = {last.lo, last.width + run.width, true};
      r.pop_back();
    }
    r.push_back(run);
  }
  return joinFragments(r);
}

}  // namespace

// ------------------------------------------------------------------------------------ bitwise

Value Builder::notOf(const Value& a) {
  Value r;
  unsigned at = 0;
  for (size_t i = 0; i < a.segs().size();) {
    if (a.segs()[i].isConstant()) {
      r = r.append(Value(~a.segs()[i].bits));
      at += a.segs()[i++].width;
      continue;
    }
    const unsigned lo = at;
    while (i < a.segs().size() && !a.segs()[i].isConstant()) at += a.segs()[i++].width;
    const Value part = a.slice(lo, at - lo);
    const Seg& seg = part.segs()[0];
    if (part.segs().size() == 1 && module_.nodes[seg.node].op == Op::kNot) {
      r = r.append(module_.nodes[seg.node].operands[0].slice(seg.lo, seg.width));
    } else if (isReplicated(part)) {
      const Value one = notOf(part.bit(0));
      for (unsigned k = 0; k < part.width(); k++) r = r.append(one);
    } else {
      r = r.append(make(Op::kNot, part.width(), {part}));
    }
  }
  return r;
}

Value Builder::andOf(const Value& a, const Value& b) {
  return bitwise(Op::kAnd, a, b);
}
Value Builder::orOf(const Value& a, const Value& b) {
  return bitwise(Op::kOr, a, b);
}
Value Builder::xorOf(const Value& a, const Value& b) {
  return bitwise(Op::kXor, a, b);
}

Value Builder::bitwise(Op op, const Value& a, const Value& b) {
  assert(a.width() == b.width());
  const unsigned width = a.width();
  if (width == 0) return {};
  if (op == Op::kAnd && (isReplicated(a) || isReplicated(b))) {
    const Value& mask = isReplicated(a) ? a : b;
    return mux(mask.bit(0), isReplicated(a) ? b : a, Value(Bits(width)));
  }
  std::set<unsigned> cuts{0, width};
  addConstantCuts(a, cuts);
  addConstantCuts(b, cuts);
  std::vector<Run> runs;
  for (auto it = cuts.begin(); *it < width;) {
    const unsigned lo = *it;
    const unsigned hi = *++it;
    const Value x = a.slice(lo, hi - lo);
    const Value y = b.slice(lo, hi - lo);
    const bool xor_ones = op == Op::kXor && (x.isOnes() || y.isOnes());
    const bool gate = (!x.isConstant() && !y.isConstant() && x != y) || (xor_ones && width > 1);
    runs.push_back({lo, hi - lo, gate});
  }
  Value r;
  for (const Run& run : joinRuns(runs)) {
    r = r.append(bitwiseRun(op, a.slice(run.lo, run.width), b.slice(run.lo, run.width)));
  }
  return r;
}

Value Builder::bitwiseRun(Op op, const Value& a, const Value& b) {
  if (a.isConstant() && b.isConstant()) {
    const Bits& x = a.bits();
    const Bits& y = b.bits();
    return Value(op == Op::kAnd ? x & y : op == Op::kOr ? x | y : x ^ y);
  }
  if (a == b) return op == Op::kXor ? Value(Bits(a.width())) : a;
  for (const auto& [k, x] : {std::pair(&a, &b), std::pair(&b, &a)}) {
    if (k->isZero()) return op == Op::kAnd ? *k : *x;
    if (k->isOnes()) return op == Op::kAnd ? *x : op == Op::kOr ? *k : notOf(*x);
  }
  if (a.width() == 1 && op == Op::kAnd) return and1(a, b);
  if (a.width() == 1 && op == Op::kOr) return or1(a, b);
  if (a.width() == 1) return xor1(a, b);
  if (op == Op::kAnd && (isReplicated(a) || isReplicated(b))) return bitwise(op, a, b);
  return valueLess(b, a) ? make(op, a.width(), {b, a}) : make(op, a.width(), {a, b});
}

Value Builder::nary(Op op, const std::vector<Value>& operands) {
  assert(!operands.empty());
  if (operands.size() == 1) return operands[0];
  return make(op, operands[0].width(), operands);
}

// ---------------------------------------------------------------------------------------- mux

Value Builder::mux(const Value& condition, const Value& if_one, const Value& if_zero) {
  assert(condition.width() == 1 && if_one.width() == if_zero.width());
  if (condition.isConstant()) return condition.isOnes() ? if_one : if_zero;
  if (if_one == if_zero) return if_one;
  const Node& c = module_.nodes[condition.segs()[0].node];
  if (c.op == Op::kNot && c.width == 1) return mux(Value(c.operands[0]), if_zero, if_one);

  // Cut where both sides change source; pieces too small to matter stay with their neighbour.
  std::set<unsigned> ones{0}, cuts;
  addSegmentCuts(if_one, ones);
  std::set<unsigned> zeros{0};
  addSegmentCuts(if_zero, zeros);
  std::set_intersection(ones.begin(), ones.end(), zeros.begin(), zeros.end(),
                        std::inserter(cuts, cuts.end()));
  std::set<unsigned> all = ones;
  all.insert(zeros.begin(), zeros.end());
  const auto equalAt = [&](unsigned lo, unsigned hi) {
    return if_one.slice(lo, hi - lo) == if_zero.slice(lo, hi - lo);
  };
  for (auto it = all.begin(); std::next(it) != all.end(); ++it) {
    if (!equalAt(*it, *std::next(it))) continue;
    cuts.insert(*it);
    cuts.insert(*std::next(it));
  }
  Value r;
  unsigned lo = 0;
  for (auto it = std::next(cuts.begin()); it != cuts.end(); ++it) {
    const auto next = std::next(it);
    const bool here = equalAt(lo, *it);
    const bool join = next != cuts.end() && !here && !equalAt(*it, *next) &&
                      (*it - lo < kNarrow || *next - *it < kNarrow);
    if (join) continue;
    const Value t = if_one.slice(lo, *it - lo);
    r = r.append(here ? t : muxRun(condition, t, if_zero.slice(lo, *it - lo)));
    lo = *it;
  }
  return r;
}

Value Builder::muxRun(const Value& condition, const Value& if_one, const Value& if_zero) {
  const unsigned width = if_one.width();
  if (width == 1) {
    if (if_one.isConstant()) {
      return if_one.isOnes() ? or1(condition, if_zero) : andOf(notOf(condition), if_zero);
    }
    if (if_zero.isConstant()) {
      return if_zero.isOnes() ? orOf(notOf(condition), if_one) : and1(condition, if_one);
    }
  }
  if (if_one.isConstant() && if_zero.isConstant() && width <= kNarrow) {
    Value r;
    const Value inverse = notOf(condition);
    for (unsigned i = 0; i < width; i++) {
      const bool one = if_one.bits().bit(i);
      const bool zero = if_zero.bits().bit(i);
      r = r.append(one == zero ? Value::constant(1, one) : one ? condition : inverse);
    }
    return r;
  }
  // A mux below that looks at the same condition, or that shares one of our values.
  const auto muxOf = [&](const Value& v) -> const Node* {
    if (v.segs().size() != 1 || v.isConstant()) return nullptr;
    const Node& n = module_.nodes[v.segs()[0].node];
    return n.op == Op::kMux ? &n : nullptr;
  };
  if (const Node* t = muxOf(if_one)) {
    const Seg& s = if_one.segs()[0];
    const Value c = t->operands[0];
    const Value x = t->operands[1].slice(s.lo, s.width);
    const Value y = t->operands[2].slice(s.lo, s.width);
    if (c == condition) return mux(condition, x, if_zero);
    if (y == if_zero) return mux(and1(condition, c), x, y);
    if (x == if_zero) return mux(andOf(condition, notOf(c)), y, x);
  }
  if (const Node* f = muxOf(if_zero)) {
    const Seg& s = if_zero.segs()[0];
    const Value c = f->operands[0];
    const Value x = f->operands[1].slice(s.lo, s.width);
    const Value y = f->operands[2].slice(s.lo, s.width);
    if (c == condition) return mux(condition, if_one, y);
    if (x == if_one) return mux(or1(condition, c), x, y);
    if (y == if_one) return mux(orOf(condition, notOf(c)), y, x);
  }
  return make(Op::kMux, width, {condition, if_one, if_zero});
}

}  // namespace espalier::hwir
