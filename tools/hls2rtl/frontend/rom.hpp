// SPDX-License-Identifier: BSD-2-Clause-Patent
/// Loads from constant tables.
#pragma once
#include <functional>

#include "frontend/address.hpp"
#include "hwir/builder.hpp"

namespace llvm {
class GlobalVariable;
class LoadInst;
class Value;
}  // namespace llvm

namespace espalier::frontend {

/// A ROM over the bits by which the address can vary.  Throws hwir::Error if the table is no
/// constant, or if there are more than 14 such bits.
hwir::Value readRom(hwir::Builder& builder, llvm::GlobalVariable& table, const Address& address,
                    const llvm::LoadInst& load,
                    const std::function<hwir::Value(const llvm::Value*)>& value);

}  // namespace espalier::frontend
