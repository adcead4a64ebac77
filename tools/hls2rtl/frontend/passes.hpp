// SPDX-License-Identifier: BSD-2-Clause-Patent
/// Runs LLVM passes given as text.
#pragma once
#include <memory>
#include <string>

namespace llvm {
class Module;
}

namespace espalier::frontend {

class PassRunner {
 public:
  PassRunner();
  ~PassRunner();
  /// `pipeline` in the syntax of opt -passes=.
  void run(llvm::Module& module, const std::string& pipeline);

 private:
  struct Managers;
  std::unique_ptr<Managers> managers_;
};

}  // namespace espalier::frontend
