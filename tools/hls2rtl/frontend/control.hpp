// SPDX-License-Identifier: BSD-2-Clause-Patent
/// Path predicates of a loop-free function: under which condition a block is reached.
#pragma once
#include <llvm/Analysis/PostDominators.h>
#include <llvm/IR/Dominators.h>

#include <functional>
#include <map>
#include <utility>

#include "hwir/builder.hpp"

namespace espalier::frontend {

/// Predicates are built up along the dominator tree, each relative to the block's dominator, so
/// that a join after an `if` costs nothing and a phi is asked only what its own region decides.
class Control {
 public:
  /// `value` gives the translation of a branch condition.
  Control(llvm::Function& f, hwir::Builder& builder,
          std::function<hwir::Value(const llvm::Value*)> value);

  /// 1 bit: this step runs through `block`.
  hwir::Value reached(llvm::BasicBlock* block) { return relative(entry_, block); }
  /// 1 bit: the edge is taken, provided the dominator of `to` is reached.
  hwir::Value edge(llvm::BasicBlock* from, llvm::BasicBlock* to);

 private:
  hwir::Value relative(llvm::BasicBlock* dominator, llvm::BasicBlock* block);
  hwir::Value taken(llvm::BasicBlock* from, llvm::BasicBlock* to);
  llvm::BasicBlock* dominator(llvm::BasicBlock* block);

  llvm::BasicBlock* entry_;
  hwir::Builder& builder_;
  std::function<hwir::Value(const llvm::Value*)> value_;
  llvm::DominatorTree tree_;
  llvm::PostDominatorTree post_;
  std::map<std::pair<llvm::BasicBlock*, llvm::BasicBlock*>, hwir::Value> cache_;
};

}  // namespace espalier::frontend
