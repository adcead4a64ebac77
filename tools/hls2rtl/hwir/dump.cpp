// SPDX-License-Identifier: BSD-2-Clause-Patent
/// HwIR as text: one node a line, `n12:32 = add n3[31:0], 32'h4  # sa.cpp:40`.
#include "hwir/hwir.hpp"

namespace espalier::hwir {

namespace {

std::string dumpSeg(const Seg& seg) {
  if (seg.isConstant()) return std::to_string(seg.width) + "'h" + seg.bits.hex();
  const std::string hi = std::to_string(seg.lo + seg.width - 1);
  const std::string range = seg.width == 1 ? hi : hi + ":" + std::to_string(seg.lo);
  return "n" + std::to_string(seg.node) + "[" + range + "]";
}

/// Whole nodes without a range, runs of one bit as `128{n5[3]}`.
std::string dumpValue(const Module& module, const Value& value) {
  std::string r;
  const auto& segs = value.segs();
  size_t parts = 0;
  for (size_t i = segs.size(); i-- > 0;) {
    size_t run = 1;
    while (i > 0 && segs[i - 1] == segs[i]) {
      run++;
      i--;
    }
    const Seg& s = segs[i];
    const bool whole = !s.isConstant() && s.lo == 0 && s.width == module.nodes[s.node].width;
    const std::string text = whole ? "n" + std::to_string(s.node) : dumpSeg(s);
    r += (parts++ ? ", " : "") + (run > 1 ? std::to_string(run) + "{" + text + "}" : text);
  }
  return parts > 1 ? "{" + r + "}" : r;
}

const char* hazardName(Hazard hazard) {
  return hazard == Hazard::kForbid ? "forbid" : hazard == Hazard::kPromise ? "promise" : "forward";
}

std::string leafName(const Module& m, const Node& n) {
  switch (n.op) {
    case Op::kRegister:
      return m.registers[n.index].name;
    case Op::kEmpty:
    case Op::kStreamRead:
      return m.inputs[n.index].name;
    case Op::kMemRead:
      return m.memories[n.index].name;
    case Op::kRom:
      return m.roms[n.index].name;
    default:
      return {};
  }
}

}  // namespace

const char* name(Op op) {
  static constexpr const char* kNames[] = {
      "register", "empty", "streamread", "memread", "not", "and", "or",   "xor", "add",
      "sub",      "mul",   "eq",         "ult",     "mux", "shl", "lshr", "rom"};
  return kNames[static_cast<unsigned>(op)];
}

std::string SourceLoc::str() const {
  return line ? file + ":" + std::to_string(line) : "?";
}

unsigned addrWidth(unsigned depth) {
  unsigned w = 1;
  while (w < 32 && (uint64_t{1} << w) < depth) w++;
  return w;
}

unsigned Memory::addrWidth() const {
  return hwir::addrWidth(depth);
}

std::string dump(const Module& module, const Value& value) {
  return dumpValue(module, value);
}

std::string dump(const Module& m) {
  std::string r = "module " + m.name + "\n";
  const auto width = [](unsigned w) { return ":" + std::to_string(w); };
  for (const Rom& rom : m.roms) {
    r += "rom " + rom.name + width(rom.width) + " words " + std::to_string(rom.words.size()) + "\n";
  }
  for (size_t id = 0; id < m.nodes.size(); id++) {
    const Node& n = m.nodes[id];
    r += "  n" + std::to_string(id) + width(n.width) + " = " + name(n.op);
    const std::string leaf = leafName(m, n);
    if (!leaf.empty()) r += " " + leaf;
    for (size_t i = 0; i < n.operands.size(); i++) r += (i ? ", " : " ") + dump(m, n.operands[i]);
    if (!n.name.empty() || n.loc) r += "  #";
    if (!n.name.empty()) r += " " + n.name;
    if (n.loc) r += " " + m.locs[n.loc].str();
    r += "\n";
  }
  for (const Register& x : m.registers) {
    r += "register " + x.name + width(x.width) + " <= " + dump(m, x.next) + "\n";
  }
  for (const Memory& x : m.memories) {
    r += "memory " + x.name + width(x.width) + " depth " + std::to_string(x.depth) + " latency " +
         std::to_string(x.latency) + " hazard " + hazardName(x.hazard) + "\n";
    r += "  read " + dump(m, x.read_enable) + " at " + dump(m, x.read_addr) + "\n";
    r += "  write " + dump(m, x.write_enable) + " at " + dump(m, x.write_addr) +
         " <= " + dump(m, x.write_data) + "\n";
  }
  for (const Input& x : m.inputs) {
    r += "input " + x.name + width(x.width) + " pop " + dump(m, x.pop) + "\n";
  }
  for (const Output& x : m.outputs) {
    r += "output " + x.name + width(x.width) + " push " + dump(m, x.push) +
         " <= " + dump(m, x.data) + "\n";
  }
  return r;
}

}  // namespace espalier::hwir
