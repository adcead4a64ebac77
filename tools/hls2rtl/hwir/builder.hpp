// SPDX-License-Identifier: BSD-2-Clause-Patent
/// Builds a Module node by node, simplifying on the way: constants fold, equal nodes are made once,
/// words stay wide, path predicates are reduced.
///
/// How a translator uses it: declare ports and state; then walk the step function in program order,
/// mapping each source value to a Value; tell every effect together with the predicate under which
/// it happens; finish().  On every path an input is read, an output written, a memory read and a
/// memory written at most once; the caller has checked that.
#pragma once
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "hwir/hwir.hpp"

namespace espalier::hwir {

struct InputId {
  unsigned index;
};
struct OutputId {
  unsigned index;
};
struct RegisterId {
  unsigned index;
};
struct MemoryId {
  unsigned index;
};
struct RomId {
  unsigned index;
};

class Builder {
 public:
  explicit Builder(std::string module_name, SourceLoc loc = {});

  // --- declarations; names are made unique and turned into SystemVerilog identifiers
  InputId addInput(const std::string& name, unsigned width, SourceLoc loc = {});
  OutputId addOutput(const std::string& name, unsigned width, SourceLoc loc = {});
  RegisterId addRegister(const std::string& name, unsigned width, SourceLoc loc = {});
  /// `depth` in words, `latency` in cycles (>= 1).
  MemoryId addMemory(const std::string& name, unsigned width, unsigned depth, unsigned latency,
                     Hazard hazard, SourceLoc loc = {});
  /// 2^n words, n >= 1, all of one width; equal tables are kept once.
  RomId addRom(const std::string& name, std::vector<Bits> words);

  /// Where the nodes that follow come from in the source.
  void setLoc(const SourceLoc& loc);
  /// Names the node behind `value` if it is one whole node that has no name yet.
  void setName(const Value& value, const std::string& name);

  // --- leaves
  Value empty(InputId input);
  Value reg(RegisterId r);
  /// Reads the input's head under `predicate` (pops it).
  Value read(InputId input, const Value& predicate);
  /// Reads a memory under `predicate`; `addr` is cut or zero-extended to the address width.
  Value memRead(MemoryId memory, const Value& predicate, const Value& addr);
  /// `addr` is cut or zero-extended to the ROM's address width.
  Value rom(RomId r, const Value& addr);

  // --- effects
  void write(OutputId output, const Value& predicate, const Value& data);
  void memWrite(MemoryId memory, const Value& predicate, const Value& addr, const Value& data);
  /// The register's value at the end of the step (kept if never told).
  void setNext(RegisterId r, const Value& next);

  // --- operations; both operands of one width, which is the result's unless said otherwise
  Value notOf(const Value& a);
  Value andOf(const Value& a, const Value& b);
  Value orOf(const Value& a, const Value& b);
  Value xorOf(const Value& a, const Value& b);
  Value add(const Value& a, const Value& b);
  Value sub(const Value& a, const Value& b);
  Value mul(const Value& a, const Value& b);
  Value eq(const Value& a, const Value& b);  ///< 1 bit
  Value ne(const Value& a, const Value& b) { return notOf(eq(a, b)); }
  Value ult(const Value& a, const Value& b);  ///< 1 bit; ule(a, b) is notOf(ult(b, a))
  Value slt(const Value& a, const Value& b);  ///< 1 bit, signed
  Value mux(const Value& condition, const Value& if_one, const Value& if_zero);
  Value shl(const Value& a, const Value& amount);   ///< amount of any width
  Value lshr(const Value& a, const Value& amount);  ///< amount of any width
  Value ashr(const Value& a, const Value& amount);  ///< amount of any width
  /// A value that several paths meet in: the value whose predicate holds.  At most one predicate
  /// holds; if none does, the result doesn't matter.  Balanced; factors common to all predicates
  /// are dropped.
  Value phi(const std::vector<std::pair<Value, Value>>& predicate_and_value);

  /// N-ary forms used by passes; operands are taken as they are, without any reassociation.
  Value nary(Op op, const std::vector<Value>& operands);

  const Module& module() const { return module_; }
  /// The finished module: dead nodes removed, constant register bits removed, trees balanced.
  Module finish();
  /// The module as built, without the passes of finish().
  Module take();

 private:
  Value make(Op op, unsigned width, std::vector<Value> operands, unsigned index = 0);
  Value leaf(std::vector<NodeId>& table, Op op, unsigned index, unsigned width);
  Value bitwise(Op op, const Value& a, const Value& b);
  Value bitwiseRun(Op op, const Value& a, const Value& b);
  Value muxRun(const Value& condition, const Value& if_one, const Value& if_zero);
  Value shift(Op op, const Value& a, const Value& amount);
  std::string unique(const std::string& name);
  // predicate.cpp: single bits
  using Literals = std::vector<Value>;
  Literals literals(Op op, const Value& a) const;
  bool opposite(const Value& a, const Value& b) const;
  Value join(Op op, const Literals& terms);
  Value and1(const Value& a, const Value& b);
  Value or1(const Value& a, const Value& b);
  Value xor1(const Value& a, const Value& b);

  Module module_;
  std::unordered_multimap<size_t, NodeId> cse_;
  std::unordered_map<std::string, unsigned> names_;
  std::vector<NodeId> empty_, read_, reg_, mem_read_;  // leaf nodes by index
  std::unordered_map<std::string, LocId> loc_ids_{{"?", 0}};
  LocId loc_ = 0;
};

}  // namespace espalier::hwir
