// SPDX-License-Identifier: BSD-2-Clause-Patent
/// From C++ to HwIR: compile, normalise, check, translate.  Deterministic: equal sources and flags
/// give equal modules.
#pragma once
#include <functional>
#include <string>

#include "frontend/compile.hpp"
#include "frontend/dataflow.hpp"
#include "hwir/hwir.hpp"

namespace espalier::frontend {

/// Takes a step's name and its LLVM IR as text.
using IrSink = std::function<void(const std::string& name, const std::string& ir)>;

/// Compiled sources, from which any number of steps are translated.
class Source {
 public:
  /// clang's diagnostics go to stderr.  Throws hwir::Error if it rejects the sources.
  explicit Source(const CompileOptions& options) : bitcode_(compile(options)) {}

  /// The step function `top` as a HwIR module named after the function.  `keep_ir`, if given, gets
  /// the normalised LLVM IR, also if that is where translation ends.  Throws hwir::Error.
  hwir::Module translateStep(const std::string& top, const IrSink& keep_ir = {}) const;

  /// The stage graph of the dataflow function `top`.  Throws hwir::Error.
  Dataflow readDataflow(const std::string& top) const;

 private:
  void checkUndefined(const std::string& top) const;

  std::string bitcode_;
};

}  // namespace espalier::frontend
