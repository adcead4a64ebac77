// SPDX-License-Identifier: BSD-2-Clause-Patent
// Into a tunnel and out of it: outer header, inner packet.  Inline: all of it is work for every
// packet.
#pragma once

#include <cstring>

#include "bytes.hpp"
#include "crypto.hpp"
#include "ip.hpp"

namespace espalier::driver::software {

/// The inner packet's length by its own header; 0 if that cannot be right.
[[gnu::always_inline]] inline std::uint32_t inner_length(Octets inner, std::uint8_t next) noexcept {
  if (inner.empty() || inner[0] >> 4 != (next == kIpv4 ? 4 : 6)) return 0;
  if (next == kIpv4) {
    if (inner.size() < kHeader4) return 0;
    const std::uint32_t own = 4u * (inner[0] & 15);
    const std::uint32_t total = load16(&inner[kLength4]);
    return own >= kHeader4 && total >= own && total <= inner.size() ? total : 0;
  }
  if (inner.size() < kHeader6) return 0;
  const std::uint32_t total = kHeader6 + load16(&inner[kLength6]);
  return total <= inner.size() ? total : 0;
}

/// The Next Header a packet about to enter a tunnel gets: 4, 41, 59 for an empty one (a dummy,
/// RFC 4303 2.6), 0 if it is not one whole IP packet.  `parsed`: the caller knows that it is.
inline std::uint8_t tunnel_next_header(Octets packet, bool parsed = false) noexcept {
  if (packet.empty()) return kNoNext;
  const std::uint8_t next = packet[0] >> 4 == 4 ? kIpv4 : kIpv6;
  return parsed || inner_length(packet, next) == packet.size() ? next : std::uint8_t{0};
}

/// In whole words: reading back what was written in pieces would stall.  The template has zeros
/// where the job's fields go, so they are added to its words and to its sum.
[[gnu::always_inline]] inline void write_outer4(const SaShape& sa, const Job& job,
                                                std::size_t total, std::uint8_t* out) noexcept {
  const std::uint32_t id = job.identity & 0xffff, flags = job.dont_fragment ? 0x4000 : 0;
  std::uint32_t sum = sa.template_sum + job.tos + static_cast<std::uint32_t>(total) + id + flags +
                      (std::uint32_t{job.ttl} << 8);
  sum = (sum & 0xffff) + (sum >> 16);
  sum += sum >> 16;
  const std::uint8_t* from = sa.header_template.data();
  store64(out, load64(from) | std::uint64_t{job.tos} << 48 | std::uint64_t{total} << 32 | id << 16 |
                   flags);
  store64(out + 8,
          load64(from + 8) | std::uint64_t{job.ttl} << 56 | std::uint64_t{~sum & 0xffff} << 32);
  std::memcpy(out + 16, from + 16, 4);
}

/// Writes the tunnel's outer header (RFC 4301 5.1.2) for a packet of `total` octets, UDP header
/// (RFC 3948 2.1) included if the SA has one.
void write_outer(const SaShape& sa, const Job& job, std::size_t total, std::uint8_t* out) noexcept;

/// RFC 6040 4.2: what the outer ECN makes of the inner packet's.
Status take_over_ecn(Family inner_family, std::uint8_t outer_class, std::uint8_t* inner) noexcept;

/// What leaves a tunnel: checks the inner packet against its Next Header, cuts TFC padding off and
/// takes the outer ECN over.  `length` becomes the inner packet's.
[[gnu::always_inline]] inline Status leave_tunnel(const SaShape& sa, std::uint8_t next,
                                                  std::uint8_t outer_class,
                                                  std::span<std::uint8_t> inner,
                                                  std::uint32_t& length) noexcept {
  if (next != kIpv4 && next != kIpv6) return Status::bad_next_header;
  length = inner_length(inner, next);
  if (length == 0) return Status::bad_inner;
  const bool not_ect = (outer_class & 3) == 0;  // leaves the inner as it is
  if (not_ect || !sa.copy_ecn) return Status::ok;
  return take_over_ecn(next == kIpv4 ? Family::ipv4 : Family::ipv6, outer_class, inner.data());
}

}  // namespace espalier::driver::software
