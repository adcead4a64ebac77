// SPDX-License-Identifier: BSD-2-Clause-Patent
// What selectors look at in a packet, as five words that are made, hashed and compared in a few
// instructions: addresses and ports stand in them as in the packet, source first, in network order.
// Who asks for a number (the classifier, an event) pays for it.
//
// `meta`: bits 0-1 the way, 2 the family, 3-4 what the packet shows, 8-15 the protocol, 32-63 the
// ports as they stand in the packet, or the type.  `addresses`: source, then destination; IPv4 has
// both in the first word and zero in the others.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

#include "espalier/policy.hpp"
#include "packet/ip.hpp"
#include "packet/octets.hpp"

namespace espalier {

/// An address as a number: IPv6 in two words, the high half first; IPv4 in the low half, the high
/// half zero.
using WideAddress = std::array<std::uint64_t, 2>;
WideAddress wide(const Address& address) noexcept;
inline WideAddress wide(Family family, const std::uint8_t* octets) noexcept {
  if (family == Family::ipv4) return {0, load_be32(octets)};
  return {load_be64(octets), load_be64(octets + 8)};
}
Address narrow(Family family, const WideAddress& address) noexcept;

struct Flow {
  /// What the octets behind the header chain tell; the rest is OPAQUE.
  enum class Shows : std::uint8_t { nothing, ports, type };

  std::uint64_t meta = 0;
  std::uint64_t addresses[4] = {};

  static constexpr std::uint32_t kHidden = 0x10000;  ///< A value that is not to be seen.

  Way way() const { return static_cast<Way>(meta & 3); }
  Family family() const { return (meta & 4) != 0 ? Family::ipv6 : Family::ipv4; }
  Shows shows() const { return static_cast<Shows>(meta >> 3 & 3); }
  std::uint32_t protocol() const { return static_cast<std::uint32_t>(meta >> 8 & 0xff); }
  WideAddress local() const noexcept { return address(way() == Way::out); }
  WideAddress remote() const noexcept { return address(way() != Way::out); }
  std::uint32_t local_port() const noexcept { return port(way() == Way::out); }
  std::uint32_t remote_port() const noexcept { return port(way() != Way::out); }
  /// For goes_to(): a port as flows hold destination ports.
  static std::uint32_t destination_bits(std::uint16_t port) noexcept {
    return std::bit_cast<std::uint32_t>(std::array<std::uint8_t, 4>{
        0, 0, static_cast<std::uint8_t>(port >> 8), static_cast<std::uint8_t>(port)});
  }
  /// True if it shows this destination port.
  bool goes_to(std::uint32_t destination_bits) const noexcept {
    constexpr auto kMask =
        std::bit_cast<std::uint32_t>(std::array<std::uint8_t, 4>{0, 0, 0xff, 0xff});
    return shows() == Shows::ports &&
           (static_cast<std::uint32_t>(meta >> 32) & kMask) == destination_bits;
  }
  /// ICMP type and code, or Mobility Header type << 8.
  std::uint32_t type() const noexcept {
    return shows() == Shows::type ? static_cast<std::uint32_t>(meta >> 32) : kHidden;
  }

  static constexpr std::uint64_t make_meta(Way way, Family family, std::uint8_t protocol,
                                           Shows shows, std::uint32_t shown) {
    return static_cast<std::uint64_t>(way) | (family == Family::ipv6 ? 4u : 0u) |
           static_cast<std::uint64_t>(shows) << 3 | static_cast<std::uint64_t>(protocol) << 8 |
           static_cast<std::uint64_t>(shown) << 32;
  }
  bool operator==(const Flow& other) const {
    return ((meta ^ other.meta) | (addresses[0] ^ other.addresses[0])) == 0 &&
           (family() == Family::ipv4 ||
            ((addresses[1] ^ other.addresses[1]) | (addresses[2] ^ other.addresses[2]) |
             (addresses[3] ^ other.addresses[3])) == 0);
  }
  std::uint32_t hash() const {
    std::uint64_t x = mix(meta * 0x9e3779b97f4a7c15u ^ addresses[0]);
    if (family() == Family::ipv6)
      for (unsigned i = 1; i < 4; ++i) x = mix(x ^ addresses[i]);
    return static_cast<std::uint32_t>(x >> 32);
  }

 private:
  static std::uint64_t mix(std::uint64_t x) { return (x ^ x >> 32) * 0xc2b2ae3d27d4eb4fu; }
  WideAddress address(bool source) const noexcept;
  std::uint32_t port(bool source) const noexcept {
    if (shows() != Shows::ports) return kHidden;
    const auto octets =
        std::bit_cast<std::array<std::uint8_t, 4>>(static_cast<std::uint32_t>(meta >> 32));
    return load_be16(octets.data() + (source ? 0 : 2));
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
/// Both of a packet whose IpHeader says `fragment`.  Octets.  By value, so that a header that is
/// being parsed stays in registers.
inline std::uint32_t fragment_offset(const std::uint8_t* packet, Family family,
                                     std::uint32_t header_length) noexcept {
  // parse_ip() stops behind the fragment header.
  return family == Family::ipv4 ? (load_be16(packet + 6) & 0x1fffu) * 8
                                : load_be16(packet + header_length - 6) & 0xfff8u;
}
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
constexpr std::array<Flow::Shows, 256> by_protocol() {
  std::array<Flow::Shows, 256> out{};
  for (const std::uint8_t p : {kTcp, kUdp, kDccp, kSctp, kUdpLite}) out[p] = Flow::Shows::ports;
  for (const std::uint8_t p : {kIcmp, kIcmp6, kMobility}) out[p] = Flow::Shows::type;
  return out;
}
inline constexpr std::array<Flow::Shows, 256> kByProtocol = by_protocol();
}  // namespace shown

/// The flow of a packet parse_ip() has accepted.  `packet` begins at its IP header.
inline Flow flow_of(Way way, const std::uint8_t* packet, const IpHeader& ip) noexcept {
  Flow::Shows shows = shown::kByProtocol[ip.protocol];
  if (ip.length < ip.header_length + 4 ||
      (ip.fragment && fragment_offset(packet, ip.family, ip.header_length) != 0)) [[unlikely]]
    shows = Flow::Shows::nothing;
  std::uint32_t value = 0;
  const std::uint8_t* p = packet + ip.header_length;
  if (shows != Flow::Shows::nothing) std::memcpy(&value, p, 4);
  if (shows == Flow::Shows::type) [[unlikely]]  // Mobility: next header, length, type
    value = ip.protocol == shown::kMobility ? static_cast<std::uint32_t>(p[2]) << 8 : load_be16(p);
  Flow flow;
  flow.meta = Flow::make_meta(way, ip.family, ip.protocol, shows, value);
  // The destination follows the source in both headers.
  if (ip.family == Family::ipv4)
    std::memcpy(flow.addresses, ip.source, 8);
  else
    std::memcpy(flow.addresses, ip.source, 32);
  return flow;
}

}  // namespace espalier
