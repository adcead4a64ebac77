// SPDX-License-Identifier: BSD-2-Clause-Patent
// The engine's pipeline over time, as SVG.
#pragma once

#include <string>

#include "espalier/driver/occupancy.hpp"

namespace espalier::cli {

/// One row a stage, time to the right: the share of clocks in which it is busy, on top of that the
/// share in which it waits for room behind it; what is left it had nothing to do.
std::string occupancy_svg(const std::string& title, const driver::Occupancy& occupancy);

}  // namespace espalier::cli
