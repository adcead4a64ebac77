// SPDX-License-Identifier: BSD-2-Clause-Patent
/// LLVM's integer operations in HwIR.
#pragma once
#include <optional>
#include <vector>

#include "hwir/builder.hpp"

namespace llvm {
class ICmpInst;
class Instruction;
class IntrinsicInst;
}  // namespace llvm

namespace espalier::frontend {

class Arithmetic {
 public:
  explicit Arithmetic(hwir::Builder& builder) : b_(builder) {}

  /// The value of `instruction` for these operands; nothing if it has no hardware.
  std::optional<hwir::Value> translate(const llvm::Instruction& instruction,
                                       const std::vector<hwir::Value>& operands);

 private:
  using Value = hwir::Value;
  Value compare(const llvm::ICmpInst& compare, const Value& a, const Value& b);
  std::optional<Value> intrinsic(const llvm::IntrinsicInst& call, const std::vector<Value>& v);
  std::optional<Value> funnel(const Value& high, const Value& low, const Value& amount, bool left);
  Value countOnes(const Value& a);
  Value trailingZeros(const Value& a);

  hwir::Builder& b_;
};

}  // namespace espalier::frontend
