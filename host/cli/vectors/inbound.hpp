// SPDX-License-Identifier: BSD-2-Clause-Patent
// Vectors that need more than the transform: an SPI to find, a window, selectors, a NAT.
#pragma once

#include "cli/vectors/report.hpp"
#include "espalier/context.hpp"

#include <nlohmann/json.hpp>

namespace espalier::cli {

/// What to run them on: a context with one device.  An SA is added for each vector, and removed.
Verdict check_tampered(Context& context, const nlohmann::json& vector);
Verdict check_replay_script(Context& context, const nlohmann::json& vector);
Verdict check_ecn(Context& context, const nlohmann::json& vector);
Verdict check_nat_checksum(Context& context, const nlohmann::json& vector);
Verdict check_udp_4500(const nlohmann::json& vector);

}  // namespace espalier::cli
