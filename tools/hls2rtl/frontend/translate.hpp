// SPDX-License-Identifier: BSD-2-Clause-Patent
/// A normalised step function becomes HwIR.
#pragma once
#include <string>
#include <vector>

#include "frontend/layout.hpp"
#include "hwir/hwir.hpp"

namespace llvm {
class Function;
}

namespace espalier::frontend {

/// For a step normalised with mark_undefined: throws hwir::Error if a value nobody wrote reaches
/// state, a port or a decision.
void checkUndefined(llvm::Function& step, const std::vector<Parameter>& parameters);

/// Throws hwir::Error if the step breaks a rule of streams or memories: two accesses on one path, a
/// read that no !empty() guards, a memory read after a write.
hwir::Module translate(llvm::Function& step, const std::vector<Parameter>& parameters,
                       const std::string& module_name);

}  // namespace espalier::frontend
