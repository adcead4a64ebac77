// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "backend/wires.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace espalier::backend {

using hwir::Bits;
using hwir::Memory;
using hwir::Module;
using hwir::Node;
using hwir::NodeId;
using hwir::Op;
using hwir::Rom;
using hwir::Seg;
using hwir::Value;

namespace {

constexpr size_t kLong = 110;  ///< longer expressions get a wire of their own
constexpr size_t kShort = 24;  ///< a negation this short is written wherever it is used

std::vector<Piece> piecesOf(const std::vector<int>& last, int born) {
  std::vector<Piece> r;
  for (unsigned i = 0; i < last.size(); i++) {
    if (last[i] <= born) continue;
    if (!r.empty() && r.back().lo + r.back().width == i && r.back().last == last[i]) {
      r.back().width++;
    } else {
      r.push_back({i, 1, last[i]});
    }
  }
  return r;
}

}  // namespace

std::string range(unsigned width) {
  return width == 1 ? "" : fmt::format("[{}:0] ", width - 1);
}

std::string constant(const Bits& b) {
  if (b.isZero() && b.width() > 32) return fmt::format("{}'h0", b.width());
  return fmt::format("{}'h{}", b.width(), b.hex());
}

std::string bitsOf(const std::string& name, unsigned whole, unsigned lo, unsigned width) {
  if (width == whole) return name;
  if (width == 1) return fmt::format("{}[{}]", name, lo);
  return fmt::format("{}[{}:{}]", name, lo + width - 1, lo);
}

Wires::Wires(const Module& m, const Schedule& s) : m_(m), s_(s) {
  const auto last = lastUses(m, s);
  for (NodeId id = 0; id < m.nodes.size(); id++) pieces_.push_back(piecesOf(last[id], s.node[id]));
  nameAll();
  countUses();
}

std::string Wires::fresh(const std::string& wanted) {
  std::string r = wanted;
  for (unsigned k = 2; !taken_.insert(r).second; k++) r = fmt::format("{}_{}", wanted, k);
  return r;
}

void Wires::nameAll() {
  for (const char* word : {"clk_i", "rst_i", "go", "valid", "valid_q"}) taken_.insert(word);
  for (const auto& x : m_.registers) registers_.push_back(fresh(x.name + "_q"));
  for (const auto& x : m_.memories) memories_.push_back(fresh(x.name + "_mem"));
  for (NodeId id = 0; id < m_.nodes.size(); id++) {
    const Node& n = m_.nodes[id];
    switch (n.op) {
      case Op::kRegister:
        nodes_.push_back(registers_[n.index]);
        break;
      case Op::kStreamRead:
        nodes_.push_back(m_.inputs[n.index].name + "_data_i");
        break;
      case Op::kEmpty:
        nodes_.push_back(fresh(m_.inputs[n.index].name + "_empty"));
        break;
      case Op::kMemRead:
        nodes_.push_back(fresh(m_.memories[n.index].name + "_read"));
        break;
      default:
        nodes_.push_back(n.name.empty() ? fmt::format("n{}", id)
                                        : fresh(fmt::format("{}_n{}", n.name, id)));
    }
  }
  for (const Rom& rom : m_.roms) roms_.push_back(fresh("rom_" + rom.name));
}

/// A node that is used once, whole and in its own stage may be written where it is used.
void Wires::countUses() {
  uses_.assign(m_.nodes.size(), 0);
  const auto use = [&](const Value& v, int stage) {
    for (const Seg& seg : v.segs()) {
      if (seg.isConstant()) continue;
      const bool whole = seg.width == m_.nodes[seg.node].width;
      uses_[seg.node] += whole && s_.node[seg.node] == stage ? 1 : 2;
    }
  };
  for (NodeId id = 0; id < m_.nodes.size(); id++) {
    for (const Value& v : m_.nodes[id].operands) use(v, s_.node[id]);
  }
  for (size_t i = 0; i < m_.registers.size(); i++) use(m_.registers[i].next, s_.reg[i]);
  for (const auto& x : m_.inputs) use(x.pop, 0);
  for (size_t i = 0; i < m_.outputs.size(); i++) {
    use(m_.outputs[i].push, s_.push[i]);
    use(m_.outputs[i].data, s_.push[i]);
  }
  for (size_t i = 0; i < m_.memories.size(); i++) {
    const Memory& x = m_.memories[i];
    for (const Value* v : {&x.read_enable, &x.read_addr}) use(*v, s_.mem_read[i]);
    for (const Value* v : {&x.write_enable, &x.write_addr, &x.write_data}) {
      use(*v, s_.mem_write[i]);
    }
  }
}

std::string Wires::carried(NodeId id, const Piece& p, int stage) const {
  std::string base = nodes_[id];
  if (base.ends_with("_i")) base.resize(base.size() - 2);
  if (p.width != m_.nodes[id].width) base += fmt::format("_{}_{}", p.lo + p.width - 1, p.lo);
  return fmt::format("{}_s{}", base, stage);
}

/// The parts, most significant first, of a segment as seen in `stage`.
void Wires::parts(const Seg& seg, int stage, std::vector<std::string>& r) const {
  if (seg.isConstant()) {
    r.push_back(constant(seg.bits));
    return;
  }
  const unsigned whole = m_.nodes[seg.node].width;
  if (stage == s_.node[seg.node]) {
    const auto it = inlined_.find(seg.node);
    r.push_back(it != inlined_.end() ? it->second
                                     : bitsOf(nodes_[seg.node], whole, seg.lo, seg.width));
    return;
  }
  for (size_t i = pieces_[seg.node].size(); i-- > 0;) {
    const Piece& p = pieces_[seg.node][i];
    const unsigned from = std::max(p.lo, seg.lo);
    const unsigned to = std::min(p.lo + p.width, seg.lo + seg.width);
    if (from >= to) continue;
    r.push_back(bitsOf(carried(seg.node, p, stage), p.width, from - p.lo, to - from));
  }
}

/// Scattered bits of one node at one distance are the node, shifted and masked.
std::string Wires::masked(const Value& v, int stage) const {
  const Seg* some = nullptr;
  long distance = 0;
  unsigned at = 0, runs = 0;
  Bits mask(v.width());
  for (const Seg& s : v.segs()) {
    if (s.isConstant() && !s.bits.isZero()) return {};
    if (!s.isConstant()) {
      const long here = static_cast<long>(s.lo) - static_cast<long>(at);
      if (some && (s.node != some->node || here != distance)) return {};
      some = &s;
      distance = here;
      runs++;
      for (unsigned i = at; i < at + s.width; i++) mask.setBit(i, true);
    }
    at += s.width;
  }
  if (runs < 3 || !wholeIn(some->node, stage)) return {};
  const auto from = std::max(0L, distance);
  const auto to = std::min(static_cast<long>(m_.nodes[some->node].width),
                           distance + static_cast<long>(v.width()));
  const Value base(some->node, static_cast<unsigned>(from), static_cast<unsigned>(to - from));
  const Value low(Bits(static_cast<unsigned>(from - distance)));
  const Value word = low.append(base);
  return fmt::format("({} & {})", ref(word.zext(v.width()), stage), constant(mask));
}

bool Wires::wholeIn(NodeId id, int stage) const {
  return stage == s_.node[id] ||
         (pieces_[id].size() == 1 && pieces_[id][0].width == m_.nodes[id].width);
}

std::string Wires::ref(const Value& v, int stage) const {
  if (v.segs().size() > 4) {
    const std::string text = masked(v, stage);
    if (!text.empty()) return text;
  }
  std::vector<std::string> all;
  std::string r;
  const auto& segs = v.segs();
  for (size_t i = segs.size(); i-- > 0;) {
    size_t run = 1;
    while (i > 0 && segs[i - 1] == segs[i]) {
      run++;
      i--;
    }
    const size_t before = all.size();
    parts(segs[i], stage, all);
    if (run == 1) continue;
    std::string joined;
    for (size_t k = before; k < all.size(); k++) joined += (k > before ? ", " : "") + all[k];
    all.resize(before);
    all.push_back(fmt::format("{{{}{{{}}}}}", run, joined));
  }
  if (all.size() == 1) return all[0];
  for (const std::string& part : all) r += (r.empty() ? "" : ", ") + part;
  return "{" + r + "}";
}

std::string Wires::memoryData(unsigned memory) const {
  for (NodeId id = 0; id < m_.nodes.size(); id++) {
    if (m_.nodes[id].op == Op::kMemRead && m_.nodes[id].index == memory) return nodes_[id];
  }
  return {};
}

std::string Wires::expression(NodeId id) const {
  const Node& n = m_.nodes[id];
  const int stage = s_.node[id];
  const auto in = [&](size_t i) { return ref(n.operands[i], stage); };
  const auto joined = [&](const char* op) {
    std::string r = in(0);
    for (size_t i = 1; i < n.operands.size(); i++) r += fmt::format(" {} {}", op, in(i));
    return r;
  };
  switch (n.op) {
    case Op::kNot:
      return "~" + in(0);
    case Op::kAnd:
      return joined("&");
    case Op::kOr:
      return joined("|");
    case Op::kXor:
      return joined("^");
    case Op::kAdd:
      return joined("+");
    case Op::kSub:
      return joined("-");
    case Op::kMul:
      return joined("*");
    case Op::kEq:
      return joined("==");
    case Op::kUlt:
      return joined("<");
    case Op::kShl:
      return joined("<<");
    case Op::kLshr:
      return joined(">>");
    case Op::kMux:
      return fmt::format("{} ? {} : {}", in(0), in(1), in(2));
    case Op::kRom:
      return fmt::format("{}[{}]", roms_[n.index], in(0));
    default:
      return {};
  }
}

bool Wires::inlines(NodeId id, const std::string& text) {
  const Node& n = m_.nodes[id];
  const bool plain = n.op == Op::kNot && n.width == 1 && text.size() < kShort;
  const bool once = uses_[id] == 1 && n.name.empty() && text.size() < kLong;
  if (!plain && !once) return false;
  const bool atom = plain || n.op == Op::kRom;
  inlined_[id] = atom ? text : "(" + text + ")";
  return true;
}

}  // namespace espalier::backend
