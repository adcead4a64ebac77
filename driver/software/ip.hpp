// SPDX-License-Identifier: BSD-2-Clause-Patent
// IP headers as ESP and AH meet them: where the chain leads, what must be rewritten.  Nothing here
// reads outside the span it is given.
#pragma once

#include <cstdint>
#include <span>

#include "shape.hpp"

namespace espalier::driver::software {

/// More extension headers than this before ESP or AH are taken for an attack.
inline constexpr unsigned kMaxExtensionHeaders = 16;

inline constexpr unsigned kHeader4 = 20, kHeader6 = 40;  ///< Octets, bare.
inline constexpr unsigned kProtocol4 = 9, kNext6 = 6;    ///< Where they name what follows.
inline constexpr unsigned kLength4 = 2, kLength6 = 4;    ///< Where they have their length field.
inline constexpr unsigned kChecksum4 = 10;

/// An IP header, with its options or extension headers, that ends at a given octet.
struct IpHeader {
  Status status = Status::bad_header;  ///< ok, bad_header or fragment.
  std::uint8_t next = 0;               ///< Protocol of what follows.
  std::uint16_t next_offset = 0;       ///< Octet that names it.
  std::size_t total = 0;               ///< Octets of the packet by its length field.
};

/// Follows a packet's header until `header_length`.  bad_header if it does not end there or its
/// length field says more than there is (octets behind the packet are not part of it, RFC 791);
/// fragment if it is one (RFC 4303 3.3.4, 3.4.1).
IpHeader parse_header(std::span<const std::uint8_t> packet, Family family,
                      std::size_t header_length) noexcept;

/// The same for a job's packet, without a second look where the caller has parsed it (Job::parsed)
/// and there is nothing to follow.
inline IpHeader header_of(const Job& job, std::span<const std::uint8_t> packet, Family family,
                          std::size_t header_length) noexcept {
  const bool v4 = family == Family::ipv4;
  if (job.parsed && header_length == (v4 ? kHeader4 : kHeader6) && packet.size() >= header_length)
      [[likely]] {
    const std::uint16_t names = v4 ? kProtocol4 : kNext6;
    return {Status::ok, packet[names], names, packet.size()};
  }
  return parse_header(packet, family, header_length);
}

/// DSCP and ECN of a parsed header.
inline std::uint8_t traffic_class(const std::uint8_t* header, Family family) noexcept {
  if (family == Family::ipv4) return header[1];
  return static_cast<std::uint8_t>(header[0] << 4 | header[1] >> 4);
}

/// Sets the length field for a packet of `total` octets, the octet at `next_offset`, and the
/// checksum of IPv4.  `header_length` is the IPv4 header's own length, options included.
void rewrite_header(std::uint8_t* header, Family family, std::size_t header_length,
                    std::size_t total, std::uint16_t next_offset, std::uint8_t next) noexcept;

/// Writes a UDP header of the SA's template for `payload` octets behind it, its checksum zero.
void write_udp(const SaShape& sa, std::size_t payload, std::uint8_t* out) noexcept;

/// Sets the UDP checksum of a finished packet whose UDP header stands at `at`.  IPv4 leaves it zero
/// (RFC 3948 2.1); over IPv6 receivers may drop a zero one unless told otherwise (RFC 8200 8.1).
void write_udp_checksum6(std::span<std::uint8_t> packet, std::size_t at) noexcept;

}  // namespace espalier::driver::software
