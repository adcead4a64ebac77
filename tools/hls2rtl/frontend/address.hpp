// SPDX-License-Identifier: BSD-2-Clause-Patent
/// Where a pointer points: base + constant + sum of index * scale, in bytes.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

namespace llvm {
class DataLayout;
class Value;
}  // namespace llvm

namespace espalier::frontend {

struct Address {
  llvm::Value* base = nullptr;
  uint64_t constant = 0;
  std::vector<std::pair<llvm::Value*, uint64_t>> indices;  ///< largest scale first
};

Address addressOf(llvm::Value* pointer, const llvm::DataLayout& dl);

}  // namespace espalier::frontend
