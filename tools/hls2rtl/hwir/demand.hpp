// SPDX-License-Identifier: BSD-2-Clause-Patent
#pragma once
#include <vector>

#include "hwir/hwir.hpp"

namespace espalier::hwir {

using Masks = std::vector<Bits>;

/// Which bits of each node and each register anything observable depends on.
struct Demand {
  explicit Demand(const Module& module);

  Masks nodes, registers;
  std::vector<bool> memories;  ///< read by anything that matters
};

}  // namespace espalier::hwir
