// SPDX-License-Identifier: BSD-2-Clause-Patent
/// The state struct of a step function becomes local for the length of the step.
#pragma once
#include "frontend/layout.hpp"

namespace llvm {
class AllocaInst;
class Function;
}  // namespace llvm

namespace espalier::frontend {

/// Replaces argument `index` of `step`, a state struct, by a local copy: every register is loaded
/// at the entry and stored at the exit.  Memories (hls::mem) are not copied: their accesses stay on
/// the argument.  Wants one return; returns the copy.
const llvm::AllocaInst* promoteState(llvm::Function& step, unsigned index, const Layout& layout);

}  // namespace espalier::frontend
