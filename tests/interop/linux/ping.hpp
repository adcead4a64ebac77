// SPDX-License-Identifier: BSD-2-Clause-Patent
// ICMP echoes of both families, made and recognised.
#pragma once

#include <cstdint>
#include <vector>

#include "espalier/address.hpp"

namespace espalier::interop {

struct Echo {
  Address source, destination;
  std::uint16_t identifier = 0, sequence = 0;
  std::vector<std::uint8_t> payload;

  /// What the one who got this request answers.
  Echo reply() const;
  bool operator==(const Echo&) const = default;
};

/// The IP packet that asks.
std::vector<std::uint8_t> request_packet(const Echo& echo);

/// Reads an echo reply.  False if the packet is none, or a length or checksum is wrong.
bool parse_reply(const std::vector<std::uint8_t>& packet, Echo& reply);

}  // namespace espalier::interop
