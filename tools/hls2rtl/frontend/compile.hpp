// SPDX-License-Identifier: BSD-2-Clause-Patent
/// From source files to one LLVM module, by clang.
#pragma once
#include <memory>
#include <string>
#include <vector>

namespace llvm {
class Function;
class LLVMContext;
class Module;
}  // namespace llvm

namespace espalier::frontend {

struct CompileOptions {
  std::vector<std::string> sources;
  std::vector<std::string> clang_flags;  ///< include directories and definitions
  std::string clang;                     ///< the compiler's path; empty: the one of the build
};

/// Compiles and links the sources.  clang's diagnostics go to stderr.
/// Throws hwir::Error if clang fails.
std::unique_ptr<llvm::Module> compile(llvm::LLVMContext& context, const CompileOptions& options);

/// The function the user calls `name` ("sa", "espalier::sa", "ghash<2>", or the linker's name).
/// Throws hwir::Error if there is none or more than one.
llvm::Function& findFunction(llvm::Module& module, const std::string& name);

}  // namespace espalier::frontend
