// SPDX-License-Identifier: BSD-2-Clause-Patent
// Reads what packet vectors say of an SA.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/rig.hpp"
#include "espalier/driver/suite.hpp"
#include "packet/ip.hpp"

namespace espalier::cli {

/// Hex to octets; throws Failure if it is none.
Octets octets(const nlohmann::json& hex);

/// Algorithms, keys, SPI, mode and outer family of a vector or its "sa" member.  Empty if this
/// project has such a suite, else why not (a skip, not a failure).
std::string read_sa(const nlohmann::json& from, driver::SaParameters& out);

/// Where ESP or AH stands in a protected packet, and what its outer header says.
struct Outer {
  IpHeader ip;
  std::uint16_t esp_offset = 0;
  driver::Endpoints ends;
};
/// False if the packet is no protected packet.
bool read_outer(const Octets& packet, bool nat_t, Outer& out);

/// The skip reason for an SA the device does not take.
std::string not_offered(const driver::Device& device, const driver::SaParameters& sa);

}  // namespace espalier::cli
