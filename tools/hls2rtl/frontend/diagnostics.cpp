// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "frontend/diagnostics.hpp"

#include <llvm/Demangle/Demangle.h>
#include <llvm/IR/DebugInfoMetadata.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/Instruction.h>

#include <cctype>

namespace espalier::frontend {

namespace {

/// A header the user did not write: what goes wrong in it is to be blamed on its caller.
bool isLibrary(llvm::StringRef path) {
  for (llvm::StringRef header :
       {"ap_int.h", "ap_int_rules.h", "hls_stream.h", "mem.h", "fields.h"}) {
    if (path == header || path.ends_with(("/" + header).str())) return true;
  }
  return path.starts_with("/usr/");
}

}  // namespace

void fail(const hwir::SourceLoc& loc, const std::string& what, const std::string& way_out) {
  throw hwir::Error(loc.str() + ": error: " + what + "; " + way_out);
}

hwir::SourceLoc userLoc(const llvm::DILocation* location) {
  while (location && location->getInlinedAt() &&
         (isLibrary(location->getFilename()) || location->getLine() == 0)) {
    location = location->getInlinedAt();
  }
  if (!location) return {};
  return {location->getFilename().str(), location->getLine()};
}

hwir::SourceLoc userLoc(const llvm::Instruction& instruction) {
  const hwir::SourceLoc loc = userLoc(instruction.getDebugLoc().get());
  return loc.line ? loc : functionLoc(*instruction.getFunction());
}

hwir::SourceLoc functionLoc(const llvm::Function& function) {
  const llvm::DISubprogram* sub = function.getSubprogram();
  if (!sub) return {};
  return {sub->getFilename().str(), sub->getLine()};
}

std::string sourceName(const llvm::Function& function) {
  if (const llvm::DISubprogram* sub = function.getSubprogram()) return sub->getName().str();
  return llvm::demangle(function.getName().str());
}

std::string identifier(const std::string& name) {
  std::string r;
  for (char c : name) {
    const bool ok = std::isalnum(static_cast<unsigned char>(c));
    if (ok) {
      r += c;
    } else if (!r.empty() && r.back() != '_') {
      r += '_';
    }
  }
  while (!r.empty() && r.back() == '_') r.pop_back();
  return r;
}

}  // namespace espalier::frontend
