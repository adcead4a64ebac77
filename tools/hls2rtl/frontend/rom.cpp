// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "frontend/rom.hpp"

#include <llvm/Analysis/ConstantFolding.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/DataLayout.h>
#include <llvm/IR/GlobalVariable.h>
#include <llvm/IR/Instructions.h>

#include "frontend/diagnostics.hpp"

namespace espalier::frontend {

using hwir::Bits;
using hwir::Value;

namespace {

constexpr unsigned kMaxAddressBits = 14;

/// `v` without the leading bits that are known to be zero, at least one bit.
Value significant(const Value& v) {
  unsigned width = v.width();
  while (width > 1 && v.bit(width - 1).isZero()) --width;
  return v.slice(0, width);
}

}  // namespace

Value readRom(hwir::Builder& builder, llvm::GlobalVariable& table, const Address& address,
              const llvm::LoadInst& load, const std::function<Value(const llvm::Value*)>& value) {
  if (!table.isConstant() || !table.hasInitializer()) {
    fail(userLoc(load), "'" + table.getName().str() + "' is a variable outside the state",
         "put it into the state struct, or make it const");
  }
  const llvm::DataLayout& dl = load.getDataLayout();
  const unsigned width = load.getType()->getIntegerBitWidth();
  std::vector<Value> indices;
  Value at;
  for (const auto& [index, scale] : address.indices) {
    indices.push_back(significant(value(index)));
    at = at.append(indices.back());
  }
  if (at.width() > kMaxAddressBits) {
    fail(userLoc(load), "a constant table with an index of " + std::to_string(at.width()) + " bits",
         "index it with an ap_uint that is just wide enough");
  }
  std::vector<Bits> words;
  for (uint64_t a = 0; a < uint64_t(1) << at.width(); ++a) {
    uint64_t offset = address.constant, rest = a;
    for (size_t i = 0; i < indices.size(); ++i) {
      const unsigned w = indices[i].width();
      offset += (rest & ((uint64_t(1) << w) - 1)) * address.indices[i].second;
      rest >>= w;
    }
    const auto* word = llvm::dyn_cast_or_null<llvm::ConstantInt>(llvm::ConstantFoldLoadFromConst(
        table.getInitializer(), load.getType(), llvm::APInt(64, offset), dl));
    words.push_back(word ? Bits::fromWords(width, {word->getValue().getRawData(),
                                                   word->getValue().getNumWords()})
                         : Bits(width));  // beyond the table's end
  }
  if (at.width() == 0) return Value(words[0]);
  return builder.rom(builder.addRom(identifier(table.getName().str()), std::move(words)), at);
}

}  // namespace espalier::frontend
