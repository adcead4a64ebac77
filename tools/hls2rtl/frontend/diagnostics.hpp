// SPDX-License-Identifier: BSD-2-Clause-Patent
/// Errors and places in the user's source.
#pragma once
#include <string>

#include "hwir/error.hpp"
#include "hwir/hwir.hpp"

namespace llvm {
class DebugLoc;
class DILocation;
class Function;
class Instruction;
class StringRef;
}  // namespace llvm

namespace espalier::frontend {

/// Throws hwir::Error "file:line: error: what; way_out".
[[noreturn]] void fail(const hwir::SourceLoc& loc, const std::string& what,
                       const std::string& way_out);

/// The innermost place outside the dialect's own headers and the system's: where the user wrote it.
hwir::SourceLoc userLoc(const llvm::DILocation* location);
hwir::SourceLoc userLoc(const llvm::Instruction& instruction);
hwir::SourceLoc functionLoc(const llvm::Function& function);

/// The function's name as the source has it, with template arguments: "gf_mul<4>".
std::string sourceName(const llvm::Function& function);

/// `name` with every run of characters no identifier may have turned into one underscore.
std::string identifier(const std::string& name);

}  // namespace espalier::frontend
