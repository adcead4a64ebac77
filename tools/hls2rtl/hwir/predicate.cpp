// SPDX-License-Identifier: BSD-2-Clause-Patent
/// Single-bit operations of the builder: path predicates.
///
/// Control flow makes predicates such as (e & c) | (e & ~c), which is e.  A bit is seen as a set of
/// literals joined by AND (or by OR), and the sets are compared: absorption, opposite literals,
/// common factors.  Where no rule applies the two operands are joined as they are, which keeps the
/// sharing of the control flow.
#include <algorithm>
#include <cassert>

#include "hwir/builder.hpp"

namespace espalier::hwir {

namespace {

constexpr size_t kMaxLiterals = 24;  ///< larger sets are treated as opaque

bool comesBefore(const Value& a, const Value& b) {
  const Seg& x = a.segs()[0];
  const Seg& y = b.segs()[0];
  return std::pair(x.node, x.lo) < std::pair(y.node, y.lo);
}

bool contains(const std::vector<Value>& set, const Value& v) {
  return std::find(set.begin(), set.end(), v) != set.end();
}

bool subset(const std::vector<Value>& a, const std::vector<Value>& b) {
  return std::all_of(a.begin(), a.end(), [&](const Value& v) { return contains(b, v); });
}

std::vector<Value> without(std::vector<Value> set, const Value& v) {
  std::erase(set, v);
  return set;
}

}  // namespace

/// The operands of a tree of `op`, or `a` itself.
Builder::Literals Builder::literals(Op op, const Value& a) const {
  Literals r;
  std::vector<Value> todo{a};
  while (!todo.empty()) {
    const Value v = todo.back();
    todo.pop_back();
    const Node* n = v.isConstant() ? nullptr : &module_.nodes[v.segs()[0].node];
    if (n && n->op == op && n->width == 1) {
      todo.insert(todo.end(), n->operands.begin(), n->operands.end());
    } else if (!contains(r, v)) {
      r.push_back(v);
    }
    if (r.size() + todo.size() > kMaxLiterals) return {a};
  }
  return r;
}

bool Builder::opposite(const Value& a, const Value& b) const {
  const auto isNotOf = [&](const Value& x, const Value& y) {
    if (x.isConstant()) return false;
    const Seg& s = x.segs()[0];
    const Node& n = module_.nodes[s.node];
    return n.op == Op::kNot && n.operands[0].bit(s.lo) == y;
  };
  return isNotOf(a, b) || isNotOf(b, a);
}

Value Builder::join(Op op, const Literals& terms) {
  Value r = Value::constant(1, op == Op::kAnd);
  for (const Value& t : terms) r = op == Op::kAnd ? and1(r, t) : or1(r, t);
  return r;
}

Value Builder::xor1(const Value& a, const Value& b) {
  if (a.isConstant()) return a.isOnes() ? notOf(b) : b;
  if (b.isConstant()) return b.isOnes() ? notOf(a) : a;
  if (a == b) return Value::constant(1, 0);
  if (opposite(a, b)) return Value::constant(1, 1);
  const bool swap = comesBefore(b, a);
  return make(Op::kXor, 1, swap ? std::vector{b, a} : std::vector{a, b});
}

Value Builder::and1(const Value& a, const Value& b) {
  if (a.isConstant()) return a.isOnes() ? b : a;
  if (b.isConstant()) return b.isOnes() ? a : b;
  const Literals left = literals(Op::kAnd, a);
  const Literals right = literals(Op::kAnd, b);
  if (subset(right, left)) return a;
  if (subset(left, right)) return b;
  for (const Value& x : left) {
    for (const Value& y : right) {
      if (opposite(x, y)) return Value::constant(1, 0);
    }
  }
  // A literal that is itself an OR, seen under the other side's literals.
  for (const auto& [context, other, whole] :
       {std::tuple(&left, &right, &a), std::tuple(&right, &left, &b)}) {
    for (const Value& literal : *other) {
      const Literals terms = literals(Op::kOr, literal);
      if (terms.size() < 2) continue;
      Literals kept;
      bool changed = false;
      for (const Value& term : terms) {
        Literals parts = literals(Op::kAnd, term);
        const size_t before = parts.size();
        const bool zero = std::any_of(parts.begin(), parts.end(), [&](const Value& p) {
          return std::any_of(context->begin(), context->end(),
                             [&](const Value& c) { return opposite(p, c); });
        });
        std::erase_if(parts, [&](const Value& p) { return contains(*context, p); });
        changed |= zero || parts.size() < before;
        if (!zero) kept.push_back(parts.size() < before ? join(Op::kAnd, parts) : term);
      }
      if (changed) {
        const Value rest = and1(*whole, join(Op::kAnd, without(*other, literal)));
        return and1(rest, join(Op::kOr, kept));
      }
    }
  }
  const bool swap = comesBefore(b, a);
  return make(Op::kAnd, 1, swap ? std::vector{b, a} : std::vector{a, b});
}

Value Builder::or1(const Value& a, const Value& b) {
  if (a.isConstant()) return a.isOnes() ? a : b;
  if (b.isConstant()) return b.isOnes() ? b : a;
  if (a == b) return a;
  if (opposite(a, b)) return Value::constant(1, 1);
  const Literals left = literals(Op::kAnd, a);
  const Literals right = literals(Op::kAnd, b);
  if (subset(left, right)) return a;
  if (subset(right, left)) return b;
  // (S & x) | (S & y): S & (x | y), where x | y may fold.
  Literals common, x, y;
  for (const Value& v : left) (contains(right, v) ? common : x).push_back(v);
  for (const Value& v : right) {
    if (!contains(common, v)) y.push_back(v);
  }
  if (!common.empty())
    return and1(join(Op::kAnd, common), or1(join(Op::kAnd, x), join(Op::kAnd, y)));
  // x | (~x & T): x | T.
  for (const auto& [one, many, whole] :
       {std::tuple(&left, &right, &a), std::tuple(&right, &left, &b)}) {
    if (one->size() != 1) continue;
    for (const Value& literal : *many) {
      if (opposite((*one)[0], literal)) return or1(*whole, join(Op::kAnd, without(*many, literal)));
    }
  }
  // Terms of an OR that b makes redundant, or that combine with b.
  for (const auto& [many, single] : {std::pair(&a, &b), std::pair(&b, &a)}) {
    const Literals terms = literals(Op::kOr, *many);
    if (terms.size() < 2) continue;
    if (contains(terms, *single)) return *many;
    const Literals asked = literals(Op::kAnd, *single);
    for (const Value& literal : asked) {
      if (std::any_of(terms.begin(), terms.end(), [&](auto& t) { return opposite(t, literal); })) {
        return or1(*many, join(Op::kAnd, without(asked, literal)));
      }
    }
    for (const Value& term : terms) {
      const Literals p = literals(Op::kAnd, term);
      const Literals& q = asked;
      if (subset(p, q)) return *many;
      const bool absorbs = subset(q, p);
      const auto differs = [&](const Value& v) { return !contains(q, v); };
      const bool merges =
          p.size() == q.size() && std::count_if(p.begin(), p.end(), differs) == 1 &&
          std::any_of(p.begin(), p.end(), [&](const Value& v) {
            return differs(v) &&
                   std::any_of(q.begin(), q.end(), [&](const Value& w) { return opposite(v, w); });
          });
      if (absorbs || merges) {
        return or1(join(Op::kOr, without(terms, term)), absorbs ? *single : or1(term, *single));
      }
    }
  }
  const bool swap = comesBefore(b, a);
  return make(Op::kOr, 1, swap ? std::vector{b, a} : std::vector{a, b});
}

// ----------------------------------------------------------------------------------------- phi

/// Balanced over the values; equal values share one leaf.
Value Builder::phi(const std::vector<std::pair<Value, Value>>& predicate_and_value) {
  std::vector<std::pair<Value, Value>> arms;
  for (const auto& [p, v] : predicate_and_value) {
    if (p.isZero()) continue;
    const auto same =
        std::find_if(arms.begin(), arms.end(), [&](auto& a) { return a.second == v; });
    if (same == arms.end()) {
      arms.emplace_back(p, v);
    } else {
      same->first = or1(same->first, p);
    }
  }
  if (arms.empty()) return predicate_and_value.at(0).second;
  // What all predicates have in common needn't be asked again.
  Literals common = literals(Op::kAnd, arms[0].first);
  for (const auto& arm : arms) {
    const Literals here = literals(Op::kAnd, arm.first);
    std::erase_if(common, [&](const Value& v) { return !contains(here, v); });
  }
  for (auto& arm : arms) {
    Literals rest = literals(Op::kAnd, arm.first);
    const size_t before = rest.size();
    std::erase_if(rest, [&](const Value& v) { return contains(common, v); });
    if (rest.size() < before) arm.first = join(Op::kAnd, rest);
  }
  while (arms.size() > 1) {
    std::vector<std::pair<Value, Value>> half;
    for (size_t i = 0; i + 1 < arms.size(); i += 2) {
      const auto& [p, v] = arms[i];
      const auto& [q, w] = arms[i + 1];
      // Either predicate selects; the last arm's needn't be known at all.
      half.emplace_back(or1(p, q), mux(p, v, w));
    }
    if (arms.size() % 2) half.push_back(arms.back());
    arms = std::move(half);
  }
  return arms[0].second;
}

}  // namespace espalier::hwir
