// SPDX-License-Identifier: BSD-2-Clause-Patent
// Protected/clear pairs: sealing gives the protected packet, opening the clear one.
#pragma once

#include "cli/vectors/report.hpp"
#include "cli/vectors/vector_sa.hpp"

namespace espalier::cli {

/// Checks one vector of ipsec-packet-vectors or ipsec-implicit-iv both ways.  With `tamper`, also
/// that the device refuses the packet once any one octet of its ICV is changed.
Verdict check_pair(Rig& rig, const driver::Device& device, const nlohmann::json& vector,
                   bool tamper);

}  // namespace espalier::cli
