// SPDX-License-Identifier: BSD-2-Clause-Patent
// What selectors look at in a packet, as five words that can be compared and hashed.
//
// `meta` holds direction, family, protocol and three 17-bit values (local port, remote port, type);
// the 17th bit says that the packet does not show the value.  Addresses are numbers in host order:
// IPv6 in two words, the high half first; IPv4 in the low half, the high half zero.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "espalier/policy.hpp"
#include "packet/ip.hpp"
#include "packet/octets.hpp"

namespace espalier {

using WideAddress = std::array<std::uint64_t, 2>;  ///< Compares as the number it is.
WideAddress wide(const Address& address) noexcept;
inline WideAddress wide(Family family, const std::uint8_t* octets) noexcept {
  if (family == Family::ipv4) return {0, load_be32(octets)};
  return {load_be64(octets), load_be64(octets + 8)};
}
Address narrow(Family family, const WideAddress& address) noexcept;

struct Flow {
  std::uint64_t meta = 0;
  WideAddress local{}, remote{};

  static constexpr std::uint32_t kHidden = 0x10000;  ///< The value is not to be seen: OPAQUE.

  Way way() const { return static_cast<Way>(meta & 3); }
  Family family() const { return (meta & 4) != 0 ? Family::ipv6 : Family::ipv4; }
  std::uint32_t protocol() const { return static_cast<std::uint32_t>(meta >> 3 & 0xff); }
  std::uint32_t local_port() const { return static_cast<std::uint32_t>(meta >> 11 & 0x1ffff); }
  std::uint32_t remote_port() const { return static_cast<std::uint32_t>(meta >> 28 & 0x1ffff); }
  std::uint32_t type() const { return static_cast<std::uint32_t>(meta >> 45 & 0x1ffff); }

  static constexpr std::uint64_t make_meta(Way way, Family family, std::uint8_t protocol,
                                           std::uint32_t local_port, std::uint32_t remote_port,
                                           std::uint32_t type) {
    return static_cast<std::uint64_t>(way) | (family == Family::ipv6 ? 4u : 0u) |
           static_cast<std::uint64_t>(protocol) << 3 |
           static_cast<std::uint64_t>(local_port) << 11 |
           static_cast<std::uint64_t>(remote_port) << 28 | static_cast<std::uint64_t>(type) << 45;
  }
  bool operator==(const Flow& other) const {
    return ((meta ^ other.meta) | (local[0] ^ other.local[0]) | (local[1] ^ other.local[1]) |
            (remote[0] ^ other.remote[0]) | (remote[1] ^ other.remote[1])) == 0;
  }
  std::uint32_t hash() const {
    constexpr std::uint64_t k = 0x9e3779b97f4a7c15u;
    const std::uint64_t a = (meta ^ local[1] * k) * k;
    const std::uint64_t b = (remote[1] ^ (local[0] + 3 * remote[0]) * k) * 0xc2b2ae3d27d4eb4fu;
    const std::uint64_t mixed = (a ^ a >> 29 ^ b ^ b >> 32) * k;
    return static_cast<std::uint32_t>(mixed >> 32);
  }
};

/// Where a fragment stands in its packet.
struct Fragment {
  bool more = false;
  std::uint32_t offset = 0;  ///< Octets.
  std::uint32_t id = 0;
  std::uint32_t header = 0;   ///< IPv6: octets to the fragment header.
  std::uint8_t protocol = 0;  ///< Of what was fragmented.
};
/// Of a packet whose IpHeader says `fragment`.
Fragment fragment_of(const std::uint8_t* packet, const IpHeader& ip) noexcept;

/// Next layer protocols that show ports or types.
namespace shown {
enum : std::uint8_t {
  kIcmp = 1,
  kTcp = 6,
  kUdp = 17,
  kDccp = 33,
  kIcmp6 = 58,
  kSctp = 132,
  kMobility = 135,
  kUdpLite = 136,
};
}  // namespace shown

/// The flow of a packet parse_ip() has accepted.  `packet` begins at its IP header.
inline Flow flow_of(Way way, std::span<const std::uint8_t> packet, const IpHeader& ip) noexcept {
  std::uint32_t source_port = Flow::kHidden, destination_port = Flow::kHidden, type = Flow::kHidden;
  const bool first = !ip.fragment || fragment_of(packet.data(), ip).offset == 0;
  if (first && ip.length >= ip.header_length + 4) {
    const std::uint8_t* p = packet.data() + ip.header_length;
    switch (ip.protocol) {
      case shown::kTcp:
      case shown::kUdp:
      case shown::kUdpLite:
      case shown::kSctp:
      case shown::kDccp:
        source_port = load_be16(p);
        destination_port = load_be16(p + 2);
        break;
      case shown::kIcmp:
      case shown::kIcmp6:
        type = load_be16(p);
        break;
      case shown::kMobility:  // RFC 6275 6.1.1: next header, length, MH type
        type = static_cast<std::uint32_t>(p[2]) << 8;
        break;
      default:
        break;
    }
  }
  Flow flow;
  const WideAddress source = wide(ip.family, ip.source);
  const WideAddress destination = wide(ip.family, ip.destination);
  if (way == Way::out) {
    flow.local = source;
    flow.remote = destination;
    flow.meta = Flow::make_meta(way, ip.family, ip.protocol, source_port, destination_port, type);
  } else {
    flow.local = destination;
    flow.remote = source;
    flow.meta = Flow::make_meta(way, ip.family, ip.protocol, destination_port, source_port, type);
  }
  return flow;
}

}  // namespace espalier
