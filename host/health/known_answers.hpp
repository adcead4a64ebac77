// SPDX-License-Identifier: BSD-2-Clause-Patent
// Packets whose sealed form is known: what a device has to get right before it is trusted.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "espalier/driver/job.hpp"

namespace espalier {

/// All in IPv4 tunnels over IPv4.  Hex strings.
struct KnownAnswer {
  std::string_view id;     ///< In tests/vectors/packets, linux_esp_matrix.json or linux_ah.json.
  std::string_view suite;  ///< IKEv2 name.
  driver::Protocol protocol;
  bool esn;
  std::uint32_t spi;
  std::uint64_t number;
  std::string_view cipher_key;  ///< With salt.
  std::string_view integrity_key;
  std::string_view iv;
  std::string_view clear;
  std::string_view sealed;
};
std::span<const KnownAnswer> known_answers();

/// One of them, ready to be put to a device.
struct Question {
  driver::SaParameters sa;  ///< For sealing; direction is set anew for opening.
  driver::Job seal;         ///< Without slot, generation and segments.
  driver::Job open;
  std::vector<std::uint8_t> clear, sealed;
};
Question question(const KnownAnswer& answer);

}  // namespace espalier
