// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "frontend/normalise.hpp"

#include <llvm/Analysis/LoopInfo.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/DebugProgramInstruction.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/Module.h>
#include <llvm/Transforms/IPO/Internalize.h>

#include "frontend/diagnostics.hpp"
#include "frontend/elements.hpp"
#include "frontend/passes.hpp"
#include "frontend/state.hpp"
#include "frontend/subset.hpp"

namespace espalier::frontend {

namespace {

using namespace llvm;

// `reassociate` and everything that contains it is banned: it tears linear word operations (XOR
// trees of shifts) apart.  Nothing here vectorises, makes switch tables or moves code between
// blocks.
const std::string kSimplify =
    "sroa<modify-cfg>,early-cse<memssa>,simplifycfg<no-switch-to-lookup;no-hoist-common-insts;"
    "no-sink-common-insts;no-keep-loops>";
const std::string kUnroll =
    "loop-simplify,lcssa,loop-mssa(loop-rotate),loop(indvars,loop-unroll-full)";
const std::string kClean = kSimplify + ",adce";

std::string each(const std::string& passes) {
  return "function(" + passes + ")";
}

/// The layout clang used, without the list of native integers: no width is better than another.
constexpr const char* kDataLayout = "e-m:e-p:64:64-i64:64-i128:128-S128";

/// A call that stands for a value of `type` nobody wrote.  `variable` tells variables apart, or
/// common subexpressions would make one of all.
Value* undefinedValue(IRBuilder<>& b, Module& m, Type* type, unsigned variable) {
  const std::string name = kUndefined + ("." + std::to_string(type->getIntegerBitWidth()));
  FunctionCallee callee = m.getOrInsertFunction(name, type, b.getInt32Ty());
  auto* declaration = cast<Function>(callee.getCallee());
  declaration->setDoesNotAccessMemory();
  declaration->setDoesNotThrow();
  declaration->setWillReturn();
  return b.CreateCall(callee, b.getInt32(variable));
}

/// Where the local's life begins: its marker, or the alloca.
Instruction& birthOf(AllocaInst& alloca) {
  for (User* user : alloca.users()) {
    auto* start = dyn_cast<IntrinsicInst>(user);
    if (start && start->getIntrinsicID() == Intrinsic::lifetime_start) return *start;
  }
  return alloca;
}

void markUndefined(Function& f, unsigned& variables) {
  Module& m = *f.getParent();
  std::vector<AllocaInst*> locals;
  for (BasicBlock& block : f) {
    for (Instruction& i : block) {
      if (auto* alloca = dyn_cast<AllocaInst>(&i)) locals.push_back(alloca);
    }
  }
  for (AllocaInst* local : locals) {
    const Layout layout = layoutOf(local->getAllocatedType(), m.getDataLayout());
    Instruction& birth = birthOf(*local);
    IRBuilder<> b(birth.getNextNode());
    b.SetCurrentDebugLocation(birth.getDebugLoc());
    ++variables;
    for (const Leaf& leaf : layout.leaves) {
      Value* value = undefinedValue(b, m, b.getIntNTy(unsigned(8 * leaf.bytes)), variables);
      b.CreateStore(value, b.CreateConstGEP1_64(b.getInt8Ty(), local, leaf.offset));
    }
  }
}

/// Bits a _BitInt(width) takes in memory.
unsigned storageBits(unsigned width) {
  return width > 64 ? unsigned(alignTo(width, 64)) : std::max(8u, unsigned(PowerOf2Ceil(width)));
}

/// clang stores _BitInt(96) in 12 of its 16 bytes, but returns it as two words of 8: with all bytes
/// written, SROA can see through that.
void widenStorage(Function& f) {
  std::vector<Instruction*> narrow;
  for (BasicBlock& block : f) {
    for (Instruction& i : block) {
      if (!isa<LoadInst, StoreInst>(i) || i.isVolatile()) continue;
      Type* type = getLoadStoreType(&i);
      if (type->isIntegerTy() &&
          storageBits(type->getIntegerBitWidth()) != type->getIntegerBitWidth()) {
        narrow.push_back(&i);
      }
    }
  }
  for (Instruction* i : narrow) {
    IRBuilder<> b(i);
    Type* type = getLoadStoreType(i);
    Type* storage = b.getIntNTy(storageBits(type->getIntegerBitWidth()));
    if (auto* store = dyn_cast<StoreInst>(i)) {
      b.CreateStore(b.CreateZExt(store->getValueOperand(), storage), store->getPointerOperand());
    } else {
      Value* wide = b.CreateLoad(storage, cast<LoadInst>(i)->getPointerOperand());
      i->replaceAllUsesWith(b.CreateTrunc(wide, type));
    }
    i->eraseFromParent();
  }
  for (BasicBlock& block : f) {
    for (Instruction& i : block) {
      auto* alloca = dyn_cast<AllocaInst>(&i);
      if (!alloca || !alloca->getAllocatedType()->isIntegerTy()) continue;
      const unsigned width = alloca->getAllocatedType()->getIntegerBitWidth();
      alloca->setAllocatedType(IntegerType::get(f.getContext(), storageBits(width)));
    }
  }
}

void prepare(Module& module, Function& step, const NormaliseOptions& options) {
  unsigned variables = 0;
  for (Function& f : module) {
    if (f.isDeclaration()) continue;
    f.removeFnAttr(Attribute::NoInline);
    f.removeFnAttr(Attribute::OptimizeNone);
    if (&f != &step) f.addFnAttr(Attribute::AlwaysInline);
    for (BasicBlock& block : f) {
      for (Instruction& i : make_early_inc_range(block)) {
        i.dropDbgRecords();
        if (isa<DbgInfoIntrinsic>(i)) i.eraseFromParent();
      }
    }
    widenStorage(f);
    if (options.mark_undefined) markUndefined(f, variables);
  }
}

unsigned allocas(Function& f) {
  unsigned n = 0;
  for (BasicBlock& block : f) {
    for (Instruction& i : block) n += isa<AllocaInst>(i);
  }
  return n;
}

unsigned loops(Function& f) {
  DominatorTree tree(f);
  LoopInfo info(tree);
  return unsigned(info.getLoopsInPreorder().size());
}

/// Simplifies and unrolls until neither finds anything more.
void settle(PassRunner& passes, Module& module, Function& step) {
  for (unsigned before = ~0u;;) {
    passes.run(module, each(kUnroll) + "," + each(kClean));
    const unsigned now = loops(step) + allocas(step);
    if (now == 0 || now == before) return;
    before = now;
  }
}

}  // namespace

void normalise(Module& module, Function& step, const std::vector<Parameter>& parameters,
               const NormaliseOptions& options) {
  checkCalls(step);
  PassRunner passes;
  module.setDataLayout(kDataLayout);
  internalizeModule(module, [&](const GlobalValue& g) { return &g == &step; });
  prepare(module, step, options);
  passes.run(module, "cgscc(inline<only-mandatory>," + each(kSimplify) + "," + each(kUnroll) + "," +
                         each(kSimplify) + "),globaldce");
  settle(passes, module, step);
  passes.run(module, each("mergereturn"));
  for (unsigned i = 0; i < parameters.size(); ++i) {
    if (parameters[i].is_stream) continue;
    const AllocaInst* state = promoteState(step, i, parameters[i].layout);
    while (selectElements(step, state, parameters[i].layout)) {
    }
  }
  settle(passes, module, step);
  while (selectElements(step, nullptr, {})) settle(passes, module, step);
  passes.run(module, each("instcombine<max-iterations=1;no-verify-fixpoint>,early-cse," + kClean));
  checkForm(step);
}

}  // namespace espalier::frontend
