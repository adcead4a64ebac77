// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "frontend/subset.hpp"

#include <llvm/Analysis/LoopInfo.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>

#include <set>
#include <vector>

#include "frontend/diagnostics.hpp"

namespace espalier::frontend {

namespace {

using namespace llvm;

bool isHeap(StringRef name) {
  static const std::set<StringRef> kHeap = {"_Znwm",   "_Znam",  "_ZdlPv", "_ZdaPv",  "_ZdlPvm",
                                            "_ZdaPvm", "malloc", "calloc", "realloc", "free"};
  return kHeap.count(name) > 0;
}

class CallWalk {
 public:
  void visit(const Function& f) {
    if (!done_.insert(&f).second) return;
    path_.push_back(&f);
    for (const BasicBlock& block : f) {
      for (const Instruction& i : block) check(i);
    }
    path_.pop_back();
  }

 private:
  void check(const Instruction& i) {
    if (i.getType()->isFPOrFPVectorTy() ||
        any_of(i.operands(), [](const Use& u) { return u->getType()->isFPOrFPVectorTy(); })) {
      fail(userLoc(i), "floating-point arithmetic", "use ap_int with a fixed point");
    }
    if (i.isAtomic()) fail(userLoc(i), "an atomic access", "a step runs alone: access it plainly");
    const auto* call = dyn_cast<CallBase>(&i);
    if (!call || isa<IntrinsicInst>(call)) return;
    if (call->isInlineAsm()) fail(userLoc(i), "inline assembly", "write it in C++");
    const Function* callee = call->getCalledFunction();
    if (!callee) {
      fail(userLoc(i), "a call through a pointer or a virtual function",
           "call the function by its name, or make it a template parameter");
    }
    if (isHeap(callee->getName())) {
      fail(userLoc(i), "heap memory", "keep a fixed array or a hls::mem in the state struct");
    }
    if (callee->isDeclaration()) {
      fail(userLoc(i), "'" + sourceName(*callee) + "' has no body here",
           "define it in a header or give its source file too");
    }
    for (const Function* caller : path_) {
      if (caller != callee) continue;
      fail(userLoc(i), "'" + sourceName(*callee) + "' calls itself",
           "write a loop with a constant trip count, or recurse over a template parameter");
    }
    visit(*callee);
  }

  std::set<const Function*> done_;
  std::vector<const Function*> path_;
};

void checkLoops(Function& step) {
  DominatorTree tree(step);
  const LoopInfo info(tree);
  for (const Loop* loop : info.getLoopsInPreorder()) {
    hwir::SourceLoc loc = userLoc(loop->getStartLoc().get());
    if (loc.line == 0) loc = userLoc(*loop->getHeader()->getTerminator());
    fail(loc, "a loop without a constant trip count",
         "bound it by a constant and leave early with `if`, or do one iteration per step");
  }
}

bool isPowerOfTwo(const Value* v) {
  const auto* c = dyn_cast<ConstantInt>(v);
  return c && c->getValue().isPowerOf2();
}

/// What keeps a local object, or the local copy of the state, in memory: who uses an address that
/// comes from `pointer` in another way than to read or write there.
void checkAddresses(const Value& pointer, std::set<const Value*>& seen) {
  for (const User* user : pointer.users()) {
    const auto& i = cast<Instruction>(*user);
    if (!seen.insert(&i).second) continue;
    if (isa<SelectInst, PHINode, ICmpInst>(i)) {
      fail(userLoc(i), "a pointer that is chosen or compared while running",
           "choose between the values with `if`, or use an index");
    }
    if (isa<PtrToIntInst>(i)) fail(userLoc(i), "a pointer made into a number", "use an index");
    const auto* block = dyn_cast<MemIntrinsic>(&i);
    if (block && !isa<ConstantInt>(block->getLength())) {
      fail(userLoc(i), "memory is copied in a length that varies", "copy element by element");
    }
    if (isa<GetElementPtrInst>(i)) checkAddresses(i, seen);
  }
}

void checkInstruction(const Instruction& i) {
  switch (i.getOpcode()) {
    case Instruction::SDiv:
    case Instruction::SRem:
      fail(userLoc(i), "a signed division",
           "shift, or compare and subtract; unsigned division by a power of two is free");
    case Instruction::UDiv:
    case Instruction::URem:
      if (isPowerOfTwo(i.getOperand(1))) return;
      fail(userLoc(i), "a division by something else than a power of two",
           "multiply by the reciprocal, keep a counter, or divide over several steps");
    case Instruction::Alloca: {
      std::set<const Value*> seen;
      checkAddresses(i, seen);
      fail(userLoc(i), "a local object whose address the translator can't follow",
           "use it by name or by index; don't keep its address in a variable");
    }
    case Instruction::PtrToInt:
    case Instruction::IntToPtr:
      fail(userLoc(i), "a pointer made into a number or back", "use an index");
    default:
      return;
  }
}

}  // namespace

void checkCalls(const Function& step) {
  CallWalk().visit(step);
}

void checkForm(Function& step) {
  checkLoops(step);
  for (const BasicBlock& block : step) {
    for (const Instruction& i : block) checkInstruction(i);
  }
}

}  // namespace espalier::frontend
