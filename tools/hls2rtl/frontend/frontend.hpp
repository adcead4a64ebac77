// SPDX-License-Identifier: BSD-2-Clause-Patent
/// From C++ to HwIR: compile, normalise, check, translate.  Deterministic: equal sources and flags
/// give equal modules.
#pragma once
#include <iosfwd>
#include <string>

#include "frontend/compile.hpp"
#include "frontend/dataflow.hpp"
#include "hwir/hwir.hpp"

namespace espalier::frontend {

/// The step function `top` as a HwIR module called `module_name` (empty: after the function).
/// `ir`, if given, gets the normalised LLVM IR.  Throws hwir::Error.
hwir::Module translateStep(const CompileOptions& options, const std::string& top,
                           const std::string& module_name = "", std::ostream* ir = nullptr);

/// The stage graph of the dataflow function `top`.  Throws hwir::Error.
Dataflow readDataflow(const CompileOptions& options, const std::string& top);

}  // namespace espalier::frontend
