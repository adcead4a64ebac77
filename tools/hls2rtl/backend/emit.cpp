// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "backend/emit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

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

constexpr size_t kLineLength = 110;  ///< longer expressions get a wire of their own
constexpr size_t kShort = 24;        ///< a negation this short is written wherever it is used

/// Bits of a node that travel together to the same last stage.
struct Piece {
  unsigned lo, width;
  int last;
};

std::vector<Piece> pieces(const std::vector<int>& last, int born) {
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

std::string range(unsigned width) {
  return width == 1 ? "" : fmt::format("[{}:0] ", width - 1);
}

std::string constant(const Bits& b) {
  if (b.isZero() && b.width() > 32) return fmt::format("{}'h0", b.width());
  return fmt::format("{}'h{}", b.width(), b.hex());
}

const char* ramStyle(const Memory& m) {
  const uint64_t bits = uint64_t{m.width} * m.depth;
  return bits >= 256 * 1024 ? "ultra" : bits >= 4096 && m.depth > 64 ? "block" : "distributed";
}

class Emitter {
 public:
  Emitter(const Module& m, const Schedule& s) : m_(m), s_(s), last_(lastUses(m, s)) {
    for (NodeId id = 0; id < m.nodes.size(); id++) pieces_.push_back(pieces(last_[id], s.node[id]));
    nameNodes();
    countUses();
  }

  std::string run() {
    header();
    valid();
    for (const Rom& rom : m_.roms) romTable(rom);
    for (unsigned i = 0; i < m_.memories.size(); i++) memoryDeclaration(i);
    std::vector<std::vector<NodeId>> by_stage(s_.stages);
    for (NodeId id = 0; id < m_.nodes.size(); id++) {
      by_stage[std::min(s_.node[id], s_.stages - 1)].push_back(id);
    }
    for (int stage = 0; stage < s_.stages; stage++) {
      line(fmt::format("\n  // ---- stage {}", stage));
      for (NodeId id : by_stage[stage]) node(id);
      effects(stage);
      carry(stage);
    }
    line("endmodule");
    return std::move(out_);
  }

 private:
  void line(const std::string& text) { out_ += text + "\n"; }

  // -------------------------------------------------------------------------------------- names

  std::string fresh(const std::string& wanted) {
    std::string r = wanted;
    for (unsigned k = 2; !taken_.insert(r).second; k++) r = fmt::format("{}_{}", wanted, k);
    return r;
  }

  void nameNodes() {
    for (const char* word : {"clk_i", "rst_i", "go", "valid", "valid_q"}) taken_.insert(word);
    for (const auto& x : m_.registers) reg_names_.push_back(fresh(x.name + "_q"));
    for (const auto& x : m_.memories) mem_names_.push_back(fresh(x.name + "_mem"));
    for (NodeId id = 0; id < m_.nodes.size(); id++) {
      const Node& n = m_.nodes[id];
      switch (n.op) {
        case Op::kRegister:
          names_.push_back(reg_names_[n.index]);
          break;
        case Op::kStreamRead:
          names_.push_back(m_.inputs[n.index].name + "_data_i");
          break;
        case Op::kEmpty:
          names_.push_back(fresh(m_.inputs[n.index].name + "_empty"));
          break;
        case Op::kMemRead:
          names_.push_back(fresh(m_.memories[n.index].name + "_read"));
          break;
        default:
          names_.push_back(n.name.empty() ? fmt::format("n{}", id)
                                          : fresh(fmt::format("{}_n{}", n.name, id)));
      }
    }
    for (const Rom& rom : m_.roms) rom_names_.push_back(fresh("rom_" + rom.name));
  }

  /// A node that is used once, whole and in its own stage may be written where it is used.
  void countUses() {
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

  // --------------------------------------------------------------------------------- references

  std::string carriedName(NodeId id, const Piece& p, int stage) const {
    std::string base = names_[id];
    for (const char* suffix : {"_q", "_i"}) {
      if (base.ends_with(suffix)) base.resize(base.size() - 2);
    }
    if (p.width != m_.nodes[id].width) base += fmt::format("_{}_{}", p.lo + p.width - 1, p.lo);
    return fmt::format("{}_s{}", base, stage);
  }

  static std::string bitsOf(const std::string& name, unsigned whole, unsigned lo, unsigned width) {
    if (width == whole) return name;
    if (width == 1) return fmt::format("{}[{}]", name, lo);
    return fmt::format("{}[{}:{}]", name, lo + width - 1, lo);
  }

  /// The parts, most significant first, of a segment as seen in `stage`.
  void parts(const Seg& seg, int stage, std::vector<std::string>& r) const {
    if (seg.isConstant()) {
      r.push_back(constant(seg.bits));
      return;
    }
    const unsigned whole = m_.nodes[seg.node].width;
    if (stage == s_.node[seg.node]) {
      const auto it = inlined_.find(seg.node);
      r.push_back(it != inlined_.end() ? it->second
                                       : bitsOf(names_[seg.node], whole, seg.lo, seg.width));
      return;
    }
    for (size_t i = pieces_[seg.node].size(); i-- > 0;) {
      const Piece& p = pieces_[seg.node][i];
      const unsigned from = std::max(p.lo, seg.lo);
      const unsigned to = std::min(p.lo + p.width, seg.lo + seg.width);
      if (from >= to) continue;
      r.push_back(bitsOf(carriedName(seg.node, p, stage), p.width, from - p.lo, to - from));
    }
  }

  /// Scattered bits of one node at one distance are the node, shifted and masked.
  std::string masked(const Value& v, int stage) const {
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

  bool wholeIn(NodeId id, int stage) const {
    return stage == s_.node[id] ||
           (pieces_[id].size() == 1 && pieces_[id][0].width == m_.nodes[id].width);
  }

  std::string ref(const Value& v, int stage) const {
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

  // ---------------------------------------------------------------------------------- the parts

  void header() {
    line("// SPDX-License-Identifier: BSD-2-Clause-Patent");
    line(fmt::format("// Made by hls2rtl from {}; do not edit.", m_.loc.str()));
    line(fmt::format(
        "// {} pipeline stages.  A step fires when every output has room; room_i promises:",
        s_.stages));
    for (unsigned i = 0; i < m_.outputs.size(); i++) {
      line(fmt::format("//   {} {} free slots", m_.outputs[i].name, margin(s_, i)));
    }
    line("/* verilator lint_off UNUSEDSIGNAL */");
    line(fmt::format("module {} (", m_.name));
    std::string ports = "  input  logic clk_i,\n  input  logic rst_i";
    for (const auto& x : m_.inputs) {
      ports += fmt::format(
          ",\n\n  input  logic {0}_valid_i,\n  input  logic {1}{0}_data_i,\n"
          "  output logic {0}_ready_o",
          x.name, range(x.width));
    }
    for (const auto& x : m_.outputs) {
      ports += fmt::format(
          ",\n\n  output logic {0}_valid_o,\n  output logic {1}{0}_data_o,\n"
          "  input  logic {0}_room_i",
          x.name, range(x.width));
    }
    line(ports + "\n);");
  }

  void valid() {
    std::string go = "!rst_i";
    for (const auto& x : m_.outputs) go += fmt::format(" && {}_room_i", x.name);
    line("  logic go;  // a step enters the pipeline");
    line(fmt::format("  assign go = {};", go));
    if (s_.stages > 1) {
      line(fmt::format("  logic {}valid_q;  // a step is in stage 1 and up", range(s_.stages - 1)));
      const std::string next =
          s_.stages == 2
              ? "go"
              : fmt::format("{{{}, go}}", bitsOf("valid_q", s_.stages - 1, 0, s_.stages - 2));
      line(fmt::format("  always_ff @(posedge clk_i) valid_q <= rst_i ? '0 : {};", next));
    }
  }

  std::string validAt(int stage) const {
    if (stage == 0) return "go";
    return s_.stages == 2 ? "valid_q" : fmt::format("valid_q[{}]", stage - 1);
  }

  void romTable(const Rom& rom) {
    const std::string& name = rom_names_[&rom - m_.roms.data()];
    line(fmt::format("\n  logic {}{} [{}];", range(rom.width), name, rom.words.size()));
    line("  initial begin");
    std::string text = "   ";
    for (size_t i = 0; i < rom.words.size(); i++) {
      const std::string word = fmt::format(" {}[{}] = {};", name, i, constant(rom.words[i]));
      if (text.size() + word.size() > kLineLength) {
        line(text);
        text = "   ";
      }
      text += word;
    }
    line(text + "\n  end");
  }

  void memoryDeclaration(unsigned i) {
    const Memory& x = m_.memories[i];
    if (x.read_enable.isZero()) return;
    line(fmt::format("\n  (* ram_style = \"{}\" *) logic {}{} [{}];", ramStyle(x), range(x.width),
                     mem_names_[i], x.depth));
  }

  std::string expression(const Node& n, int stage) const {
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
        return fmt::format("{}[{}]", rom_names_[n.index], in(0));
      default:
        return {};
    }
  }

  std::string where(const Node& n) const {
    return n.loc ? "  // " + m_.locs[n.loc].str() : std::string();
  }

  void node(NodeId id) {
    const Node& n = m_.nodes[id];
    const int stage = s_.node[id];
    if (n.op == Op::kRegister) {
      line(fmt::format("  logic {}{};  // {}", range(n.width), names_[id],
                       m_.registers[n.index].loc.str()));
      return;
    }
    if (n.op == Op::kStreamRead || n.op == Op::kMemRead) return;
    if (n.op == Op::kEmpty) {
      line(fmt::format("  logic {};\n  assign {} = !{}_valid_i;", names_[id], names_[id],
                       m_.inputs[n.index].name));
      return;
    }
    const std::string text = expression(n, stage);
    const bool plain = n.op == Op::kNot && n.width == 1 && text.size() < kShort;
    if (plain || (uses_[id] == 1 && n.name.empty() && text.size() < kLineLength)) {
      const bool atom = plain || n.op == Op::kRom;
      inlined_[id] = atom ? text : "(" + text + ")";
      return;
    }
    line(fmt::format("  logic {}{};", range(n.width), names_[id]));
    line(fmt::format("  assign {} = {};{}", names_[id], text, where(n)));
  }

  void effects(int stage) {
    if (stage == 0) {
      for (const auto& x : m_.inputs) {
        line(fmt::format("  assign {}_ready_o = go & {};", x.name, ref(x.pop, 0)));
      }
    }
    for (unsigned i = 0; i < m_.outputs.size(); i++) {
      if (s_.push[i] != stage) continue;
      const auto& x = m_.outputs[i];
      line(fmt::format("  assign {}_valid_o = {} & {};", x.name, validAt(stage),
                       ref(x.push, stage)));
      line(fmt::format("  assign {}_data_o = {};", x.name, ref(x.data, stage)));
    }
    for (unsigned i = 0; i < m_.registers.size(); i++) {
      if (s_.reg[i] == stage) registerWrite(i, stage);
    }
    for (unsigned i = 0; i < m_.memories.size(); i++) memory(i, stage);
  }

  /// `next` is often a mux that keeps the register: its condition becomes an enable.
  void registerWrite(unsigned i, int stage) {
    const auto& x = m_.registers[i];
    std::string enable = validAt(stage);
    Value next = x.next;
    for (bool again = true; again;) {
      again = false;
      if (next.segs().size() != 1 || next.isConstant()) break;
      const Seg seg = next.segs()[0];
      const Node& n = m_.nodes[seg.node];
      if (n.op != Op::kMux || s_.node[seg.node] != stage || seg.width != n.width) break;
      for (const size_t kept : {1U, 2U}) {
        if (!isRegister(n.operands[kept], i)) continue;
        enable += fmt::format(" && {}{}", kept == 1 ? "!" : "", ref(n.operands[0], stage));
        next = n.operands[3 - kept];
        again = true;
        break;
      }
    }
    line("  always_ff @(posedge clk_i) begin");
    line(fmt::format("    if (rst_i) {} <= '0;", reg_names_[i]));
    line(fmt::format("    else if ({}) {} <= {};", enable, reg_names_[i], ref(next, stage)));
    line("  end");
  }

  bool isRegister(const Value& v, unsigned reg) const {
    if (v.segs().size() != 1 || v.isConstant()) return false;
    const Node& n = m_.nodes[v.segs()[0].node];
    return n.op == Op::kRegister && n.index == reg && v.width() == n.width;
  }

  void memory(unsigned i, int stage) {
    const Memory& x = m_.memories[i];
    if (x.read_enable.isZero()) return;
    const std::string& name = mem_names_[i];
    if (s_.mem_write[i] == stage && !x.write_enable.isZero()) {
      line("  always_ff @(posedge clk_i) begin");
      line(fmt::format("    if ({} & {}) {}[{}] <= {};", validAt(stage), ref(x.write_enable, stage),
                       name, ref(x.write_addr, stage), ref(x.write_data, stage)));
      line("  end");
    }
    if (s_.mem_read[i] != stage) return;
    const std::string data = readName(i);
    for (unsigned k = 1; k <= x.latency; k++) {
      const std::string to = k == x.latency ? data : fmt::format("{}_{}", data, k);
      const std::string from = k == 1 ? fmt::format("{}[{}]", name, ref(x.read_addr, stage))
                                      : fmt::format("{}_{}", data, k - 1);
      line(fmt::format("  logic {}{};", range(x.width), to));
      line(fmt::format("  always_ff @(posedge clk_i) {} <= {};", to, from));
    }
  }

  std::string readName(unsigned memory) const {
    for (NodeId id = 0; id < m_.nodes.size(); id++) {
      if (m_.nodes[id].op == Op::kMemRead && m_.nodes[id].index == memory) return names_[id];
    }
    return {};
  }

  /// Registers that take what later stages need over to the next stage.
  void carry(int stage) {
    std::string declarations, assignments;
    for (NodeId id = 0; id < m_.nodes.size(); id++) {
      for (const Piece& p : pieces_[id]) {
        if (s_.node[id] > stage || p.last <= stage) continue;
        const std::string from = ref(Value(id, p.lo, p.width), stage);
        const std::string to = carriedName(id, p, stage + 1);
        declarations += fmt::format("  logic {}{};\n", range(p.width), to);
        assignments += fmt::format("    {} <= {};\n", to, from);
      }
    }
    if (assignments.empty()) return;
    out_ += declarations;
    line("  always_ff @(posedge clk_i) begin");
    out_ += assignments;
    line("  end");
  }

  const Module& m_;
  const Schedule& s_;
  const std::vector<std::vector<int>> last_;
  std::vector<std::vector<Piece>> pieces_;
  std::vector<std::string> names_, reg_names_, mem_names_, rom_names_;
  std::set<std::string> taken_;
  std::vector<unsigned> uses_;
  std::map<NodeId, std::string> inlined_;
  std::string out_;
};

}  // namespace

std::string emit(const Module& module, const Schedule& schedule) {
  return Emitter(module, schedule).run();
}

FlipFlops flipFlops(const Module& m, const Schedule& s) {
  FlipFlops r;
  for (const auto& x : m.registers) r.state += x.width;
  const auto last = lastUses(m, s);
  for (NodeId id = 0; id < m.nodes.size(); id++) {
    for (int l : last[id]) r.pipeline += l - s.node[id];
  }
  for (const Memory& x : m.memories) {
    if (!x.read_enable.isZero()) r.pipeline += long{x.width} * (x.latency - 1);
  }
  return r;
}

}  // namespace espalier::backend
