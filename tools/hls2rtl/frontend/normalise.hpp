// SPDX-License-Identifier: BSD-2-Clause-Patent
/// Brings a step function into the form the translation takes: one function without calls, loops or
/// local memory; state is loaded at the entry and stored at the one exit; stream and memory
/// accesses stay as volatile loads and stores under their branches.
#pragma once
#include <vector>

#include "frontend/layout.hpp"

namespace llvm {
class Function;
class Module;
}  // namespace llvm

namespace espalier::frontend {

struct NormaliseOptions {
  /// Uninitialised local memory reads as the result of a call of kUndefined instead of LLVM's
  /// undef, so that the subset checker can follow it.
  bool mark_undefined = false;
};

/// `iN hls.undefined.N(i32 variable)`: a value nobody wrote.
inline constexpr const char* kUndefined = "hls.undefined";

/// Throws hwir::Error for what can't be brought into that form (subset.hpp says what that is).
void normalise(llvm::Module& module, llvm::Function& step, const std::vector<Parameter>& parameters,
               const NormaliseOptions& options);

}  // namespace espalier::frontend
