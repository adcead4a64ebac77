// SPDX-License-Identifier: BSD-2-Clause-Patent
/// Accesses of local memory at an address that is not constant.
#pragma once
#include "frontend/layout.hpp"

namespace llvm {
class AllocaInst;
class DataLayout;
class Function;
class Type;
}  // namespace llvm

namespace espalier::frontend {

/// Arrays and scalars of an LLVM type, for memory that is not the state.
Layout layoutOf(llvm::Type* type, const llvm::DataLayout& dl);

/// Turns loads, stores and copies at `array[i]` with variable i into accesses of every element: a
/// load becomes a tree of selects by the bits of i, a store a conditional store to each element.
/// `state` is the local copy of the state, whose arrays `layout` lists.  Returns whether there were
/// any.
bool selectElements(llvm::Function& function, const llvm::AllocaInst* state, const Layout& layout);

}  // namespace espalier::frontend
