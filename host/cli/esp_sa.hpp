// SPDX-License-Identifier: BSD-2-Clause-Patent
// Wireshark's table of ESP SAs: the file `esp_sa` of a profile, one line an SA.
#pragma once

#include <optional>
#include <string>

#include "espalier/sa.hpp"

namespace espalier::cli {

/// The line, without its end, that makes Wireshark decrypt the SA's packets; empty if Wireshark
/// does not know the suite.
std::optional<std::string> esp_sa_line(const SaConfig& sa);

}  // namespace espalier::cli
