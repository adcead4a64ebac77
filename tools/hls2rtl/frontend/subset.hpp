// SPDX-License-Identifier: BSD-2-Clause-Patent
/// The subset of C++ a step function may use.  Each check throws hwir::Error naming file, line,
/// what is wrong and the way out; docs/hls2rtl.md lists them.
#pragma once

namespace llvm {
class Function;
class Instruction;
}  // namespace llvm

namespace espalier::frontend {

/// Before normalisation, over everything `step` calls: recursion, heap, calls without a body or
/// through a pointer, assembly, atomics, floating point.
void checkCalls(const llvm::Function& step);

/// After normalisation: loops that could not be unrolled, local memory that could not be resolved,
/// arithmetic that is not offered.
void checkForm(llvm::Function& step);

}  // namespace espalier::frontend
