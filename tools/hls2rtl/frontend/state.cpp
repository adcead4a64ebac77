// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "frontend/state.hpp"

#include <llvm/ADT/MapVector.h>
#include <llvm/IR/DataLayout.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Operator.h>

#include "frontend/diagnostics.hpp"

namespace espalier::frontend {

namespace {

using namespace llvm;

class Promoter {
 public:
  Promoter(Function& step, const Layout& layout) : dl_(step.getDataLayout()), layout_(layout) {}

  /// Lets every use of `from`, which points `offset` bytes into the argument, use `to` instead, but
  /// for the accesses of memories.
  void redirect(Value* from, Value* to, uint64_t offset) {
    const bool in_memory = layout_.memoryAt(offset);
    for (Use& use : make_early_inc_range(from->uses())) {
      auto* user = dyn_cast<Instruction>(use.getUser());
      if (!user) continue;
      auto* store = dyn_cast<StoreInst>(user);
      if (auto* gep = dyn_cast<GetElementPtrInst>(user)) {
        follow(*gep, to, offset);
      } else if (store && store->getValueOperand() == from) {
        fail(userLoc(*user), "a pointer into the state is stored",
             "keep an index, or name the member where it is used");
      } else if (isa<CallInst>(user) && !isa<MemIntrinsic>(user) &&
                 !cast<CallInst>(user)->isLifetimeStartOrEnd()) {
        fail(userLoc(*user), "the state's address is passed on",
             "pass it to functions whose body the translator sees");
      } else if (!in_memory || !user->isVolatile()) {
        use.set(to);
      }
    }
  }

 private:
  void follow(GetElementPtrInst& gep, Value* to, uint64_t offset) {
    APInt constant(64, offset);
    MapVector<Value*, APInt> indices;
    const bool known = cast<GEPOperator>(gep).collectOffset(dl_, 64, indices, constant);
    const uint64_t at = constant.getZExtValue();
    if (known && !indices.empty() && layout_.memoryAt(at)) return;
    Instruction* copy = gep.clone();
    copy->setOperand(0, to);
    copy->insertAfter(&gep);
    redirect(&gep, copy, at);
  }

  const DataLayout& dl_;
  const Layout& layout_;
};

}  // namespace

const AllocaInst* promoteState(Function& step, unsigned index, const Layout& layout) {
  Argument* argument = step.getArg(index);
  IRBuilder<> b(&*step.getEntryBlock().getFirstInsertionPt());
  Instruction* after = &*b.GetInsertPoint();
  AllocaInst* copy = b.CreateAlloca(ArrayType::get(b.getInt8Ty(), layout.bytes), nullptr, "state");
  copy->setAlignment(Align(16));
  Promoter(step, layout).redirect(argument, copy, 0);

  const auto move = [&](Value* from, Value* to) {
    for (const Leaf& leaf : layout.leaves) {
      Type* type = b.getIntNTy(unsigned(8 * leaf.bytes));
      Value* value = b.CreateLoad(type, b.CreateConstGEP1_64(b.getInt8Ty(), from, leaf.offset));
      b.CreateStore(value, b.CreateConstGEP1_64(b.getInt8Ty(), to, leaf.offset));
    }
  };
  b.SetInsertPoint(after);
  move(argument, copy);
  for (BasicBlock& block : step) {
    auto* exit = dyn_cast<ReturnInst>(block.getTerminator());
    if (!exit) continue;
    b.SetInsertPoint(exit);
    move(copy, argument);
  }
  return copy;
}

}  // namespace espalier::frontend
