// SPDX-License-Identifier: BSD-2-Clause-Patent
/// Runs a step function as HwIR says, one step at a time: the reference between the native C++
/// and the RTL.
#pragma once
#include <deque>
#include <vector>

#include "hwir/hwir.hpp"

namespace espalier::hwir {

/// The bits of a value, given those of the nodes.
Bits gather(const Value& value, const std::vector<Bits>& nodes);
/// The result of an operation (no leaf), given its operands' bits.
Bits apply(const Module& module, const Node& node, const std::vector<Bits>& operands);

/// One instance of a stage.  The module must outlive it.  Streams are queues that the caller fills
/// and empties; output queues are unbounded.
class Interpreter {
 public:
  explicit Interpreter(const Module& module);

  /// One step: what the C++ function does in one call.
  void step();
  /// Registers back to zero; memories keep their contents, queues too.
  void reset();

  std::deque<Bits>& input(unsigned index) { return inputs_[index]; }
  std::deque<Bits>& output(unsigned index) { return outputs_[index]; }
  const Bits& reg(unsigned index) const { return registers_[index]; }
  /// A word of a memory, for tests.
  const Bits& word(unsigned memory, unsigned addr) const { return memories_[memory][addr]; }

 private:
  Bits value(const Value& v) const { return gather(v, nodes_); }
  Bits compute(const Node& n) const;
  bool mayChange(const Node& n) const;

  const Module& m_;
  std::vector<Bits> nodes_;
  std::vector<char> changed_;  ///< Nodes that this step gave another value than the last one.
  bool fresh_ = true;          ///< No step yet: no node has a value.
  std::vector<Bits> registers_;
  std::vector<std::vector<Bits>> memories_;
  std::vector<std::deque<Bits>> inputs_, outputs_;
};

}  // namespace espalier::hwir
