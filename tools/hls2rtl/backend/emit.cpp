// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "backend/emit.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "backend/wires.hpp"

namespace espalier::backend {

using hwir::Memory;
using hwir::Module;
using hwir::Node;
using hwir::NodeId;
using hwir::Op;
using hwir::Rom;
using hwir::Seg;
using hwir::Value;

namespace {

constexpr size_t kLineLength = 110;  ///< of a ROM's table

const char* ramStyle(const Memory& m) {
  const uint64_t bits = uint64_t{m.width} * m.depth;
  return bits >= 256 * 1024 ? "ultra" : bits >= 4096 && m.depth > 64 ? "block" : "distributed";
}

class Emitter {
 public:
  Emitter(const Module& m, const Schedule& s) : m_(m), s_(s), w_(m, s) {}

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
    const std::string& name = w_.rom(static_cast<unsigned>(&rom - m_.roms.data()));
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
                     w_.memory(i), x.depth));
  }

  std::string where(const Node& n) const {
    return n.loc ? "  // " + m_.locs[n.loc].str() : std::string();
  }

  void node(NodeId id) {
    const Node& n = m_.nodes[id];
    if (n.op == Op::kRegister) {
      line(fmt::format("  logic {}{};  // {}", range(n.width), w_.node(id),
                       m_.registers[n.index].loc.str()));
      return;
    }
    if (n.op == Op::kStreamRead || n.op == Op::kMemRead) return;
    if (n.op == Op::kEmpty) {
      line(fmt::format("  logic {};\n  assign {} = !{}_valid_i;", w_.node(id), w_.node(id),
                       m_.inputs[n.index].name));
      return;
    }
    const std::string text = w_.expression(id);
    if (w_.inlines(id, text)) return;
    line(fmt::format("  logic {}{};", range(n.width), w_.node(id)));
    line(fmt::format("  assign {} = {};{}", w_.node(id), text, where(n)));
  }

  void effects(int stage) {
    if (stage == 0) {
      for (const auto& x : m_.inputs) {
        line(fmt::format("  assign {}_ready_o = go & {};", x.name, w_.ref(x.pop, 0)));
      }
    }
    for (unsigned i = 0; i < m_.outputs.size(); i++) {
      if (s_.push[i] != stage) continue;
      const auto& x = m_.outputs[i];
      line(fmt::format("  assign {}_valid_o = {} & {};", x.name, validAt(stage),
                       w_.ref(x.push, stage)));
      line(fmt::format("  assign {}_data_o = {};", x.name, w_.ref(x.data, stage)));
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
        enable += fmt::format(" && {}{}", kept == 1 ? "!" : "", w_.ref(n.operands[0], stage));
        next = n.operands[3 - kept];
        again = true;
        break;
      }
    }
    line("  always_ff @(posedge clk_i) begin");
    line(fmt::format("    if (rst_i) {} <= '0;", w_.reg(i)));
    line(fmt::format("    else if ({}) {} <= {};", enable, w_.reg(i), w_.ref(next, stage)));
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
    const std::string& name = w_.memory(i);
    if (s_.mem_write[i] == stage && !x.write_enable.isZero()) {
      line("  always_ff @(posedge clk_i) begin");
      line(fmt::format("    if ({} & {}) {}[{}] <= {};", validAt(stage),
                       w_.ref(x.write_enable, stage), name, w_.ref(x.write_addr, stage),
                       w_.ref(x.write_data, stage)));
      line("  end");
    }
    if (s_.mem_read[i] != stage) return;
    const std::string data = w_.memoryData(i);
    for (unsigned k = 1; k <= x.latency; k++) {
      const std::string to = k == x.latency ? data : fmt::format("{}_{}", data, k);
      const std::string from = k == 1 ? fmt::format("{}[{}]", name, w_.ref(x.read_addr, stage))
                                      : fmt::format("{}_{}", data, k - 1);
      line(fmt::format("  logic {}{};", range(x.width), to));
      line(fmt::format("  always_ff @(posedge clk_i) {} <= {};", to, from));
    }
  }

  /// Registers that take what later stages need over to the next stage.
  void carry(int stage) {
    std::string declarations, assignments;
    for (NodeId id = 0; id < m_.nodes.size(); id++) {
      for (const Piece& p : w_.pieces(id)) {
        if (s_.node[id] > stage || p.last <= stage) continue;
        const std::string from = w_.ref(Value(id, p.lo, p.width), stage);
        const std::string to = w_.carried(id, p, stage + 1);
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
  Wires w_;
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
