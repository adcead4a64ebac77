// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "frontend/dataflow.hpp"

#include <llvm/IR/DataLayout.h>
#include <llvm/IR/DebugInfoMetadata.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/Module.h>
#include <llvm/Transforms/Utils/Cloning.h>

#include <algorithm>
#include <map>

#include "frontend/address.hpp"
#include "frontend/diagnostics.hpp"
#include "frontend/layout.hpp"
#include "frontend/passes.hpp"

namespace espalier::frontend {

namespace {

using namespace llvm;

/// Void and no member: what a step or a dataflow function has to be.
bool isFreeFunction(const Function& f) {
  const DISubprogram* sub = f.getSubprogram();
  return sub && f.getReturnType()->isVoidTy() && !isa_and_nonnull<DIType>(sub->getScope());
}

class GraphReader {
 public:
  explicit GraphReader(Function& f) : function_(f), parameters_(readParameters(f)) {
    graph_.name = identifier(sourceName(f));
    graph_.loc = functionLoc(f);
  }

  Dataflow read() {
    declareStreams();
    while (inlineNested()) {
    }
    // References kept in locals become plain members; the calls themselves stay.
    PassRunner().run(*function_.getParent(),
                     "function(sroa,early-cse,simplifycfg),function(loop-simplify,lcssa,"
                     "loop(indvars,loop-unroll-full)),function(sroa,early-cse,simplifycfg)");
    if (function_.size() != 1) {
      fail(functionLoc(function_), "the dataflow function '" + sourceName(function_) + "' branches",
           "call every stage unconditionally: each step decides for itself whether it fires");
    }
    for (Instruction& i : function_.getEntryBlock()) {
      if (isa<IntrinsicInst>(i) || isa<GetElementPtrInst>(i) || isa<ReturnInst>(i)) continue;
      auto* call = dyn_cast<CallInst>(&i);
      if (!call || !call->getCalledFunction()) {
        fail(userLoc(i), "something else than a call of a step in the dataflow function",
             "move it into a step");
      }
      readCall(*call);
    }
    return std::move(graph_);
  }

 private:
  void declareStreams() {
    for (unsigned a = 0; a < parameters_.size(); ++a) {
      for (const StreamMember& s : parameters_[a].layout.streams) {
        index_[{a, s.offset}] = unsigned(graph_.streams.size());
        graph_.streams.push_back({s.name, s.width, s.depth, parameters_[a].is_stream, s.loc});
      }
    }
  }

  /// A callee whose struct has streams of its own is a dataflow function in its turn.
  bool inlineNested() {
    for (Instruction& i : instructions(function_)) {
      auto* call = dyn_cast<CallInst>(&i);
      Function* callee = call ? call->getCalledFunction() : nullptr;
      if (!callee || callee->isDeclaration() || !isFreeFunction(*callee)) continue;
      const std::vector<Parameter> parameters = readParameters(*callee);
      const bool nested = std::any_of(parameters.begin(), parameters.end(), [](const Parameter& p) {
        return !p.is_stream && !p.layout.streams.empty();
      });
      if (!nested) continue;
      if (callee == &function_) {
        fail(userLoc(i), "'" + sourceName(*callee) + "' calls itself", "call every stage once");
      }
      InlineFunctionInfo info;
      InlineFunction(*call, info);
      return true;
    }
    return false;
  }

  void readCall(CallInst& call) {
    Function& step = *call.getCalledFunction();
    StageCall stage;
    stage.function = step.getName().str();
    stage.instance = identifier(sourceName(step));
    stage.loc = userLoc(call);
    if (step.isDeclaration()) {
      fail(stage.loc, "step '" + sourceName(step) + "' has no body here",
           "give its source file too");
    }
    const std::vector<Parameter> parameters = readParameters(step);
    for (unsigned i = 0; i < call.arg_size(); ++i) {
      const Address at = addressOf(call.getArgOperand(i), function_.getDataLayout());
      const auto* argument = dyn_cast<Argument>(at.base);
      if (!argument || !at.indices.empty()) {
        fail(stage.loc, "an argument of '" + sourceName(step) + "' is no member of the engine",
             "keep state and streams in the engine's struct");
      }
      if (!parameters[i].is_stream) {
        stage.instance = instanceName(argument->getArgNo(), at.constant, parameters[i].layout.bytes,
                                      stage.instance);
        continue;
      }
      const auto found = index_.find({argument->getArgNo(), at.constant});
      if (found == index_.end()) {
        fail(stage.loc,
             "stream '" + parameters[i].name + "' of '" + sourceName(step) +
                 "' is no member of the engine",
             "declare it in the engine's struct");
      }
      stage.streams.push_back({parameters[i].name, found->second});
    }
    const auto [known, fresh] = modules_.try_emplace(identifier(sourceName(step)), stage.function);
    if (!fresh && known->second != stage.function) {
      fail(stage.loc, "two steps are called '" + sourceName(step) + "'",
           "a module is named after its step: rename one");
    }
    graph_.stages.push_back(std::move(stage));
  }

  /// The struct member that is this stage's state.
  std::string instanceName(unsigned argument, uint64_t offset, uint64_t bytes,
                           const std::string& fallback) {
    for (const StructMember& s : parameters_[argument].layout.structs) {
      if (s.offset == offset && s.bytes == bytes) return s.name;
    }
    return fallback;
  }

  Function& function_;
  std::vector<Parameter> parameters_;
  std::map<std::pair<unsigned, uint64_t>, unsigned> index_;
  std::map<std::string, std::string> modules_;  ///< module name -> the step's linker name
  Dataflow graph_;
};

}  // namespace

Dataflow readDataflow(Function& function) {
  return GraphReader(function).read();
}

}  // namespace espalier::frontend
