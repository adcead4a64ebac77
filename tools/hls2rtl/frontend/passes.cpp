// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "frontend/passes.hpp"

#include <llvm/Analysis/CGSCCPassManager.h>
#include <llvm/Analysis/LoopAnalysisManager.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/PassManager.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/CommandLine.h>

#include <mutex>

#include "hwir/error.hpp"

namespace espalier::frontend {

namespace {

/// Full unrolling has no other handle than LLVM's own command line.
void setThresholds() {
  static std::once_flag once;
  std::call_once(once, [] {
    const char* const args[] = {"hls2rtl", "-unroll-threshold=1000000000",
                                "-unroll-full-max-count=65536",
                                "-unroll-max-iteration-count-to-analyze=0"};
    llvm::cl::ParseCommandLineOptions(std::size(args), args);
  });
}

}  // namespace

struct PassRunner::Managers {
  llvm::LoopAnalysisManager loop;
  llvm::FunctionAnalysisManager function;
  llvm::CGSCCAnalysisManager cgscc;
  llvm::ModuleAnalysisManager module;
  llvm::PassBuilder builder;
};

PassRunner::PassRunner() {
  setThresholds();
  managers_ = std::make_unique<Managers>();
  Managers& m = *managers_;
  m.builder.registerModuleAnalyses(m.module);
  m.builder.registerCGSCCAnalyses(m.cgscc);
  m.builder.registerFunctionAnalyses(m.function);
  m.builder.registerLoopAnalyses(m.loop);
  m.builder.crossRegisterProxies(m.loop, m.function, m.cgscc, m.module);
}

PassRunner::~PassRunner() = default;

void PassRunner::run(llvm::Module& module, const std::string& pipeline) {
  llvm::ModulePassManager passes;
  if (llvm::Error error = managers_->builder.parsePassPipeline(passes, pipeline)) {
    throw hwir::Error("hls2rtl: error: LLVM knows no passes '" + pipeline + "' (" +
                      llvm::toString(std::move(error)) + "); build with LLVM 19");
  }
  passes.run(module, managers_->module);
  managers_->module.clear();
  managers_->cgscc.clear();
  managers_->function.clear();
  managers_->loop.clear();
}

}  // namespace espalier::frontend
