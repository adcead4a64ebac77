// SPDX-License-Identifier: BSD-2-Clause-Patent
/// Declarations, leaves, effects and the making of nodes.  Simplification is in bitwise.cpp and
/// arithmetic.cpp (words) and predicate.cpp (single bits).
#include "hwir/builder.hpp"

#include <algorithm>
#include <cassert>
#include <cctype>

#include "hwir/optimise.hpp"

namespace espalier::hwir {

namespace {

constexpr NodeId kNone = kConstant;

std::string identifier(const std::string& name) {
  std::string r;
  for (char c : name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (plain) {
      r += c;
    } else if (!r.empty() && r.back() != '_') {
      r += '_';
    }
  }
  while (!r.empty() && r.back() == '_') r.pop_back();
  if (r.empty() || std::isdigit(static_cast<unsigned char>(r[0]))) r = "x" + r;
  return r;
}

/// Leaves are made once, on first use.
NodeId& slot(std::vector<NodeId>& table, unsigned index) {
  if (table.size() <= index) table.resize(index + 1, kNone);
  return table[index];
}

}  // namespace

Builder::Builder(std::string module_name, SourceLoc loc) {
  module_.name = std::move(module_name);
  module_.loc = std::move(loc);
}

std::string Builder::unique(const std::string& name) {
  const std::string base = identifier(name);
  std::string r = base;
  while (!names_.emplace(r, 0).second) r = base + "_" + std::to_string(++names_[base]);
  return r;
}

InputId Builder::addInput(const std::string& name, unsigned width, SourceLoc loc) {
  module_.inputs.push_back({unique(name), width, Value::constant(1, 0), std::move(loc)});
  return {static_cast<unsigned>(module_.inputs.size() - 1)};
}

OutputId Builder::addOutput(const std::string& name, unsigned width, SourceLoc loc) {
  module_.outputs.push_back(
      {unique(name), width, Value::constant(1, 0), Value(Bits(width)), std::move(loc)});
  return {static_cast<unsigned>(module_.outputs.size() - 1)};
}

RegisterId Builder::addRegister(const std::string& name, unsigned width, SourceLoc loc) {
  module_.registers.push_back({unique(name), width, {}, std::move(loc)});
  return {static_cast<unsigned>(module_.registers.size() - 1)};
}

MemoryId Builder::addMemory(const std::string& name, unsigned width, unsigned depth,
                            unsigned latency, Hazard hazard, SourceLoc loc) {
  assert(depth > 0 && width > 0 && latency > 0);
  const Value never = Value::constant(1, 0);
  const Value addr(Bits(addrWidth(depth)));
  module_.memories.push_back({unique(name), width, depth, latency, hazard, never, addr, never, addr,
                              Value(Bits(width)), std::move(loc)});
  return {static_cast<unsigned>(module_.memories.size() - 1)};
}

RomId Builder::addRom(const std::string& name, std::vector<Bits> words) {
  const unsigned width = words.at(0).width();
  const unsigned addr_width = addrWidth(static_cast<unsigned>(words.size()));
  assert(words.size() == size_t{1} << addr_width);
  for (unsigned i = 0; i < module_.roms.size(); i++) {
    if (module_.roms[i].words == words) return {i};
  }
  module_.roms.push_back({unique(name), addr_width, width, std::move(words)});
  return {static_cast<unsigned>(module_.roms.size() - 1)};
}

void Builder::setLoc(const SourceLoc& loc) {
  if (module_.locs[loc_] == loc) return;
  const std::string key = loc.str();
  const auto [it, fresh] = loc_ids_.emplace(key, module_.locs.size());
  if (fresh) module_.locs.push_back(loc);
  loc_ = it->second;
}

void Builder::setName(const Value& value, const std::string& name) {
  if (value.segs().size() != 1 || value.isConstant()) return;
  Node& node = module_.nodes[value.segs()[0].node];
  if (node.name.empty() && node.width == value.width() && !node.operands.empty()) {
    node.name = identifier(name);
  }
}

Value Builder::make(Op op, unsigned width, std::vector<Value> operands, unsigned index) {
  size_t h = static_cast<size_t>(op) * 31 + width + size_t{index} * 1009;
  for (const Value& v : operands) h = h * 0x100000001b3U + v.hash();
  const auto [begin, end] = cse_.equal_range(h);
  for (auto it = begin; it != end; ++it) {
    const Node& n = module_.nodes[it->second];
    if (n.op == op && n.width == width && n.index == index && n.operands == operands) {
      return Value(it->second, 0, width);
    }
  }
  const auto id = static_cast<NodeId>(module_.nodes.size());
  module_.nodes.push_back({op, width, std::move(operands), index, loc_, {}});
  cse_.emplace(h, id);
  return Value(id, 0, width);
}

// ------------------------------------------------------------------------------------- leaves

Value Builder::leaf(std::vector<NodeId>& table, Op op, unsigned index, unsigned width) {
  NodeId& id = slot(table, index);
  if (id == kNone) {
    id = static_cast<NodeId>(module_.nodes.size());
    module_.nodes.push_back({op, width, {}, index, loc_, {}});
  }
  return Value(id, 0, width);
}

Value Builder::empty(InputId input) {
  return leaf(empty_, Op::kEmpty, input.index, 1);
}

Value Builder::reg(RegisterId r) {
  return leaf(reg_, Op::kRegister, r.index, module_.registers[r.index].width);
}

Value Builder::read(InputId input, const Value& predicate) {
  Input& port = module_.inputs[input.index];
  port.pop = orOf(port.pop, predicate);
  return leaf(read_, Op::kStreamRead, input.index, port.width);
}

Value Builder::memRead(MemoryId memory, const Value& predicate, const Value& addr) {
  Memory& m = module_.memories[memory.index];
  const unsigned width = m.addrWidth();
  const Value a = addr.width() < width ? addr.zext(width) : addr.slice(0, width);
  m.read_addr = m.read_enable.isZero() ? a : mux(predicate, a, m.read_addr);
  m.read_enable = orOf(m.read_enable, predicate);
  return leaf(mem_read_, Op::kMemRead, memory.index, m.width);
}

Value Builder::rom(RomId r, const Value& addr) {
  const Rom& table = module_.roms[r.index];
  const unsigned width = table.addr_width;
  const Value a = addr.width() < width ? addr.zext(width) : addr.slice(0, width);
  if (a.isConstant()) return Value(table.words[a.bits().low64()]);
  return make(Op::kRom, table.width, {a}, r.index);
}

// ------------------------------------------------------------------------------------ effects

void Builder::write(OutputId output, const Value& predicate, const Value& data) {
  Output& port = module_.outputs[output.index];
  assert(data.width() == port.width);
  port.data = port.push.isZero() ? data : mux(predicate, data, port.data);
  port.push = orOf(port.push, predicate);
}

void Builder::memWrite(MemoryId memory, const Value& predicate, const Value& addr,
                       const Value& data) {
  Memory& m = module_.memories[memory.index];
  assert(data.width() == m.width);
  const unsigned width = m.addrWidth();
  const Value a = addr.width() < width ? addr.zext(width) : addr.slice(0, width);
  const bool first = m.write_enable.isZero();
  m.write_addr = first ? a : mux(predicate, a, m.write_addr);
  m.write_data = first ? data : mux(predicate, data, m.write_data);
  m.write_enable = orOf(m.write_enable, predicate);
}

void Builder::setNext(RegisterId r, const Value& next) {
  assert(next.width() == module_.registers[r.index].width);
  module_.registers[r.index].next = next;
}

Module Builder::finish() {
  for (unsigned i = 0; i < module_.registers.size(); i++) {
    if (module_.registers[i].next.width() == 0) module_.registers[i].next = reg({i});
  }
  return optimise(module_);
}

Module Builder::take() {
  return std::move(module_);
}

}  // namespace espalier::hwir
