// SPDX-License-Identifier: BSD-2-Clause-Patent
// "Packet too big", made and read (RFC 1191, RFC 4443 3.2, RFC 4301 8.2).
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "packet/ip.hpp"

namespace espalier {

inline constexpr std::uint8_t kProtocolIcmp = 1;
inline constexpr std::uint8_t kProtocolIcmp6 = 58;
inline constexpr std::uint32_t kLeastMtuV6 = 1280;

/// True if an ICMP error may answer the packet: not to ICMP errors, later fragments, or from or to
/// what is no single host (RFC 1122 3.2.2, RFC 4443 2.4).
bool may_answer(std::span<const std::uint8_t> packet, const IpHeader& ip) noexcept;

/// Writes to `out`, of 576 octets or more, what tells the sender of `packet` that `mtu` octets
/// would have passed; `from` is the sender of the message, 4 or 16 octets.  Returns its length.
std::uint32_t write_too_big(std::span<const std::uint8_t> packet, const IpHeader& ip,
                            std::uint32_t mtu, const std::uint8_t* from,
                            std::span<std::uint8_t> out) noexcept;

/// What somebody on the path says of a packet of ours.
struct TooBig {
  Family family = Family::ipv4;
  const std::uint8_t* source = nullptr;       ///< Of the quoted packet.
  const std::uint8_t* destination = nullptr;  ///< Likewise.
  std::uint32_t mtu = 0;                      ///< As claimed.
  bool udp = false;                           ///< Quoted in UDP encapsulation.
  bool ah = false;
  std::uint32_t spi = 0;
};
/// Reads an ICMP message: empty unless it is a "too big" that quotes ESP or AH, SPI included, and
/// its checksum is right.  `nat_port`: of UDP encapsulation, 0 for none.
std::optional<TooBig> read_too_big(std::span<const std::uint8_t> packet, const IpHeader& ip,
                                   std::uint16_t nat_port) noexcept;

}  // namespace espalier
