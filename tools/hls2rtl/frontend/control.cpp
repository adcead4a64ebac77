// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "frontend/control.hpp"

#include <llvm/ADT/SmallPtrSet.h>
#include <llvm/IR/CFG.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/Instructions.h>

namespace espalier::frontend {

using hwir::Value;
using llvm::BasicBlock;

Control::Control(llvm::Function& f, hwir::Builder& builder,
                 std::function<Value(const llvm::Value*)> value)
    : entry_(&f.getEntryBlock()), builder_(builder), value_(std::move(value)), tree_(f), post_(f) {}

BasicBlock* Control::dominator(BasicBlock* block) {
  return tree_.getNode(block)->getIDom()->getBlock();
}

Value Control::relative(BasicBlock* from, BasicBlock* block) {
  if (block == from) return Value::constant(1, 1);
  const auto key = std::pair(from, block);
  if (const auto known = cache_.find(key); known != cache_.end()) return known->second;
  BasicBlock* above = dominator(block);
  Value r;
  if (above != from) {
    r = builder_.andOf(relative(from, above), relative(above, block));
  } else if (post_.dominates(block, from)) {
    r = Value::constant(1, 1);
  } else {
    r = Value::constant(1, 0);
    llvm::SmallPtrSet<BasicBlock*, 8> seen;
    for (BasicBlock* before : llvm::predecessors(block)) {
      if (seen.insert(before).second) r = builder_.orOf(r, edge(before, block));
    }
  }
  return cache_[key] = r;
}

Value Control::edge(BasicBlock* from, BasicBlock* to) {
  return builder_.andOf(relative(dominator(to), from), taken(from, to));
}

Value Control::taken(BasicBlock* from, BasicBlock* to) {
  const llvm::Instruction* end = from->getTerminator();
  if (const auto* branch = llvm::dyn_cast<llvm::BranchInst>(end)) {
    if (branch->isUnconditional() || branch->getSuccessor(0) == branch->getSuccessor(1)) {
      return Value::constant(1, 1);
    }
    const Value condition = value_(branch->getCondition());
    return branch->getSuccessor(0) == to ? condition : builder_.notOf(condition);
  }
  const auto* choice = llvm::cast<llvm::SwitchInst>(end);
  const Value on = value_(choice->getCondition());
  const bool is_default = choice->getDefaultDest() == to;
  Value hit =
      Value::constant(1, 0);  // of the cases that lead there, or that don't if the default does
  for (const auto& c : choice->cases()) {
    if ((c.getCaseSuccessor() == to) == is_default) continue;
    const Value label = value_(c.getCaseValue());
    hit = builder_.orOf(hit, builder_.eq(on, label));
  }
  return is_default ? builder_.notOf(hit) : hit;
}

}  // namespace espalier::frontend
