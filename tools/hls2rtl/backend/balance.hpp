// SPDX-License-Identifier: BSD-2-Clause-Patent
#pragma once
#include "hwir/hwir.hpp"

namespace espalier::backend {

/// The same step function with chains of XOR, AND or OR turned into trees: neither LLVM nor a
/// synthesiser rebalances XOR.  A tree that the source already balanced stays as it is.  What comes
/// out of a register's own loop joins last, so that the rest can be computed ahead of it.
hwir::Module balance(const hwir::Module& module);

}  // namespace espalier::backend
