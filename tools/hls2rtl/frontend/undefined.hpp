// SPDX-License-Identifier: BSD-2-Clause-Patent
/// Finds values nobody wrote that reach state, a port, or a decision.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "frontend/control.hpp"
#include "frontend/layout.hpp"
#include "hwir/builder.hpp"

namespace llvm {
class CallInst;
class Instruction;
class LoadInst;
class PHINode;
class StoreInst;
class Value;
}  // namespace llvm

namespace espalier::frontend {

/// Beside each value of a step normalised with mark_undefined goes a mask: 1 for each bit that is
/// undefined, as a HwIR value, since it depends on the path.  Bits that AND, OR or a select hide
/// are defined; arithmetic on an undefined bit is undefined altogether.
class Undefined {
 public:
  using Translation = std::function<hwir::Value(const llvm::Value*)>;
  Undefined(const std::vector<Parameter>& parameters, hwir::Builder& builder, Control& control,
            Translation value);

  /// Is told every instruction in program order, after its value is known.  Throws hwir::Error,
  /// naming the line of the variable, if an undefined value gets where it matters.
  void follow(llvm::Instruction& instruction);

 private:
  using Value = hwir::Value;
  Value mask(const llvm::Value* v);
  Value computed(llvm::Instruction& i);
  Value merged(llvm::PHINode& node);
  Value bitwise(llvm::Instruction& i);
  Value shifted(llvm::Instruction& i);
  Value chosen(llvm::Instruction& i);
  Value all(const Value& any, unsigned width);
  Value any(const Value& mask);
  void demand(llvm::Instruction& at, const llvm::Value* v, const std::string& where);
  void demandAddress(llvm::Instruction& at, llvm::Value* pointer);
  std::string nameOf(llvm::Instruction& at, llvm::Value* pointer) const;
  const llvm::CallInst* origin(const llvm::Value* v) const;

  const std::vector<Parameter>& parameters_;
  hwir::Builder& b_;
  Control& control_;
  Translation value_;
  std::map<const llvm::Value*, Value> masks_;
};

}  // namespace espalier::frontend
