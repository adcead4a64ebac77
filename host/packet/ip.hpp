// SPDX-License-Identifier: BSD-2-Clause-Patent
// What the host has to know of a packet's IP header: where ESP or AH stands or goes, and the fields
// a tunnel copies.  Reads only what is there; never trusts a length.
#pragma once

#include <cstdint>
#include <span>

#include "espalier/address.hpp"
#include "espalier/spec/drop.h"
#include "packet/octets.hpp"

namespace espalier {

using spec::Drop;

inline constexpr std::uint32_t kUdpHeader = 8;  ///< Octets.
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kProtocolEsp = 50;
inline constexpr std::uint8_t kProtocolAh = 51;

/// Header chains longer than this are dropped as malformed (conformance class X8).
inline constexpr std::uint32_t kMaxHeaderChain = 256;

struct IpHeader {
  std::uint32_t length = 0;  ///< Octets of the whole packet, by its own length field.
  /// Octets to the first header that is no IPv6 extension: where ESP or AH stands, or goes in
  /// transport mode (RFC 4303 3.1.1).  Destination options may stand on either side; like Linux, we
  /// leave them before.
  std::uint32_t header_length = 0;
  std::uint32_t identity = 0;  ///< IPv4 identification or IPv6 flow label.
  Family family = Family::ipv4;
  std::uint8_t tos = 0;       ///< DSCP and ECN.
  std::uint8_t ttl = 0;       ///< TTL or hop limit.
  std::uint8_t protocol = 0;  ///< What stands at `header_length`.
  bool dont_fragment = false;
  bool fragment = false;  ///< MF or an offset; IPv6: a fragment header that is not atomic.
  const std::uint8_t* source = nullptr;       ///< 4 or 16 octets within the packet.
  const std::uint8_t* destination = nullptr;  ///< As many, right behind them.
};

/// parse_ip() for either version.
inline Drop parse_ipv4(std::span<const std::uint8_t> head, std::uint32_t available,
                       IpHeader& out) noexcept {
  if (head.size() < 20) return Drop::malformed_ip;
  const std::uint8_t* p = head.data();
  out.family = Family::ipv4;
  out.header_length = (p[0] & 15u) * 4u;
  out.length = load_be16(p + 2);
  if (out.header_length < 20 || out.length < out.header_length || out.length > available ||
      head.size() < out.header_length)
    return Drop::malformed_ip;
  out.tos = p[1];
  out.identity = load_be16(p + 4);
  out.dont_fragment = (p[6] & 0x40) != 0;
  out.fragment = (load_be16(p + 6) & 0x3fff) != 0;
  out.ttl = p[8];
  out.protocol = p[9];
  out.source = p + 12;
  out.destination = p + 16;
  return Drop::none;
}
Drop parse_ipv6(std::span<const std::uint8_t> head, std::uint32_t available,
                IpHeader& out) noexcept;

/// True if that is for parse_ipv4().
inline bool is_ipv4(std::span<const std::uint8_t> head) noexcept {
  return !head.empty() && head[0] >> 4 == 4;
}

/// Reads the header at the start of `head`, the packet's first octets (all of them, or at least
/// kMaxHeaderChain), of `available` octets in all.  Returns Drop::none, or malformed_ip if the
/// header or its lengths cannot be right.  Octets after the IP length are not part of the packet.
inline Drop parse_ip(std::span<const std::uint8_t> head, std::uint32_t available,
                     IpHeader& out) noexcept {
  if (head.empty()) return Drop::malformed_ip;
  switch (head[0] >> 4) {
    case 4:
      return parse_ipv4(head, available, out);
    case 6:
      return parse_ipv6(head, available, out);
    default:
      return Drop::malformed_ip;
  }
}

/// What a datagram for UDP port 4500 carries (RFC 3948 2.1 to 2.3).
enum class Datagram : std::uint8_t { esp, ike, keepalive, malformed };

/// Classifies the UDP datagram at the start of `udp`, of `available` octets by the IP length.
Datagram classify_udp_4500(std::span<const std::uint8_t> udp, std::uint32_t available) noexcept;

}  // namespace espalier
