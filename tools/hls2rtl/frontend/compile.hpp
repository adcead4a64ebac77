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

/// Compiles and links the sources into LLVM bitcode.  clang's diagnostics go to stderr.
/// Throws hwir::Error if clang fails.
std::string compile(const CompileOptions& options);

/// What compile() made, read back without the functions' bodies: translation is destructive, so
/// every step starts from its own copy.
std::unique_ptr<llvm::Module> load(llvm::LLVMContext& context, const std::string& bitcode);

/// The function the user calls `name` ("sa", "espalier::sa", "ghash<2>", or the linker's name),
/// with the bodies of all it mentions; call it once per module.  Throws hwir::Error if there is
/// none, or more than one.
llvm::Function& findFunction(llvm::Module& module, const std::string& name);

}  // namespace espalier::frontend
