// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "backend/balance.hpp"

#include <algorithm>
#include <bit>

#include "backend/graph.hpp"
#include "backend/timing.hpp"
#include "hwir/optimise.hpp"

namespace espalier::backend {

using hwir::Module;
using hwir::Node;
using hwir::NodeId;
using hwir::Op;
using hwir::Seg;
using hwir::Value;

namespace {

class Balancer {
 public:
  explicit Balancer(const Module& m) : m_(m), graph_(m), r_(m) { r_.nodes.clear(); }

  Module run() {
    map_.resize(m_.nodes.size());
    for (NodeId id = 0; id < m_.nodes.size(); id++) map_[id] = rebuilt(id);
    const auto update = [&](Value& v) { v = translate(v); };
    for (auto& x : r_.inputs) update(x.pop);
    for (auto& x : r_.outputs) {
      update(x.push);
      update(x.data);
    }
    for (auto& x : r_.registers) update(x.next);
    for (auto& x : r_.memories) {
      for (Value* v :
           {&x.read_enable, &x.read_addr, &x.write_enable, &x.write_addr, &x.write_data}) {
        update(*v);
      }
    }
    return hwir::tidy(std::move(r_));
  }

 private:
  struct Term {
    Value value;
    bool looped;     ///< in the same recurrence as the tree
    unsigned depth;  ///< gates above it in the tree
  };

  Value translate(const Value& v) const {
    Value r;
    for (const Seg& s : v.segs()) {
      r.push(s.isConstant() ? s : Seg{map_[s.node], s.lo, s.width, {}});
    }
    return r;
  }

  NodeId add(Node n) {
    r_.nodes.push_back(std::move(n));
    return static_cast<NodeId>(r_.nodes.size() - 1);
  }

  NodeId rebuilt(NodeId id) {
    Node n = m_.nodes[id];
    if (n.op == Op::kXor || n.op == Op::kAnd || n.op == Op::kOr) {
      std::vector<Term> terms;
      for (const Value& v : n.operands) collect(v, n.op, id, 1, terms);
      unsigned depth = 0;
      for (const Term& t : terms) depth = std::max(depth, t.depth);
      const auto count = static_cast<unsigned>(terms.size());
      if (depth > static_cast<unsigned>(std::bit_width(count - 1)) + 1) return tree(n, terms);
    }
    for (Value& v : n.operands) v = translate(v);
    return add(std::move(n));
  }

  /// The operands of the largest tree of one operation below `root` whose inner nodes nobody else
  /// uses.
  void collect(const Value& v, Op op, NodeId root, unsigned depth, std::vector<Term>& terms) const {
    if (v.segs().size() == 1 && !v.isConstant()) {
      const Seg& s = v.segs()[0];
      const Node& n = m_.nodes[s.node];
      if (n.op == op && s.width == n.width && graph_.uses(s.node).size() == 1) {
        for (const Value& below : n.operands) collect(below, op, root, depth + 1, terms);
        return;
      }
    }
    const unsigned unit = graph_.unitOf(root);
    const bool looped = std::any_of(v.segs().begin(), v.segs().end(), [&](const Seg& s) {
      return !s.isConstant() && graph_.unitOf(s.node) == unit;
    });
    terms.push_back({translate(v), looped, depth});
  }

  NodeId tree(const Node& like, const std::vector<Term>& terms) {
    std::vector<Value> ahead, looped;
    for (const Term& t : terms) (t.looped ? looped : ahead).push_back(t.value);
    if (!ahead.empty()) looped.push_back(combine(like, std::move(ahead)));
    return combine(like, std::move(looped)).segs()[0].node;
  }

  /// As many at a time as a LUT takes.
  Value combine(const Node& like, std::vector<Value> values) {
    while (values.size() > 1) {
      std::vector<Value> next;
      for (size_t i = 0; i < values.size();) {
        Node n = like;
        n.operands.clear();
        unsigned inputs = 0;
        while (i < values.size()) {
          inputs += lutInputs(values[i]);
          if (inputs > kLutInputs && n.operands.size() > 1) break;
          n.operands.push_back(values[i++]);
        }
        next.push_back(n.operands.size() == 1 ? n.operands[0] : Value(add(n), 0, like.width));
      }
      values = std::move(next);
    }
    return values[0];
  }

  /// A masked word takes two inputs.
  unsigned lutInputs(const Value& v) const {
    if (v.segs().size() != 1 || v.isConstant()) return 1;
    const Op op = r_.nodes[v.segs()[0].node].op;
    return op == Op::kMux || op == Op::kAnd ? 2 : 1;
  }

  const Module& m_;
  const Graph graph_;
  Module r_;
  std::vector<NodeId> map_;
};

}  // namespace

Module balance(const Module& module) {
  return Balancer(module).run();
}

}  // namespace espalier::backend
