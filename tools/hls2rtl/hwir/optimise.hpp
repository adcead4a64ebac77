// SPDX-License-Identifier: BSD-2-Clause-Patent
#pragma once
#include "hwir/hwir.hpp"

namespace espalier::hwir {

/// The same step function with less in it: register bits that never leave zero become constants,
/// bits that nothing depends on are not computed, dead state and dead nodes are gone.  Ports and
/// memories keep their order and width; registers may narrow or vanish.
Module optimise(const Module& module);

/// Only live nodes, operands first.  Throws Error if a memory's address depends on its own data.
Module tidy(Module module);

}  // namespace espalier::hwir
