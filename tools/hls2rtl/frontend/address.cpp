// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "frontend/address.hpp"

#include <llvm/ADT/MapVector.h>
#include <llvm/IR/DataLayout.h>
#include <llvm/IR/Operator.h>

#include <algorithm>

namespace espalier::frontend {

Address addressOf(llvm::Value* pointer, const llvm::DataLayout& dl) {
  Address a;
  llvm::APInt constant(64, 0);
  llvm::MapVector<llvm::Value*, llvm::APInt> indices;
  while (auto* gep = llvm::dyn_cast<llvm::GEPOperator>(pointer)) {
    if (!gep->collectOffset(dl, 64, indices, constant)) break;
    pointer = gep->getPointerOperand();
  }
  a.base = pointer;
  a.constant = constant.getZExtValue();
  for (auto& [index, scale] : indices) a.indices.emplace_back(index, scale.getZExtValue());
  std::stable_sort(a.indices.begin(), a.indices.end(),
                   [](auto& x, auto& y) { return x.second > y.second; });
  return a;
}

}  // namespace espalier::frontend
