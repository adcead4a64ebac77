// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "packet/ip.hpp"

#include "packet/octets.hpp"

namespace espalier {
namespace {

enum : std::uint8_t { kHopByHop = 0, kRouting = 43, kFragment = 44, kDestinationOptions = 60 };

/// Follows the extension headers; `out.length` is known, so no header may end past it.
Drop follow_extensions(std::span<const std::uint8_t> head, IpHeader& out) {
  const std::uint8_t* p = head.data();
  const std::size_t limit = head.size() < out.length ? head.size() : out.length;
  std::uint8_t next = p[6];
  std::uint32_t at = 40;
  while (next == kHopByHop || next == kRouting || next == kFragment ||
         next == kDestinationOptions) {
    if (at + 8 > limit || (next == kHopByHop && at != 40)) return Drop::malformed_ip;
    const std::uint32_t octets = next == kFragment ? 8 : (p[at + 1] + 1u) * 8u;
    if (at + octets > limit || at + octets > kMaxHeaderChain) return Drop::malformed_ip;
    if (next == kFragment) out.fragment = out.fragment || (load_be16(p + at + 2) & 0xfff9) != 0;
    next = p[at];
    at += octets;
    if (out.fragment) break;  // what follows is a piece, not a header
  }
  out.protocol = next;
  out.header_length = at;
  return Drop::none;
}

}  // namespace

Drop parse_ipv6(std::span<const std::uint8_t> head, std::uint32_t available,
                IpHeader& out) noexcept {
  if (head.size() < 40) return Drop::malformed_ip;
  const std::uint8_t* p = head.data();
  out.family = Family::ipv6;
  out.length = 40u + load_be16(p + 4);
  if (out.length > available) return Drop::malformed_ip;
  out.tos = static_cast<std::uint8_t>((p[0] & 15) << 4 | p[1] >> 4);
  out.identity = load_be32(p) & 0xfffff;
  out.dont_fragment = true;
  out.fragment = false;
  out.ttl = p[7];
  out.source = p + 8;
  out.destination = p + 24;
  return follow_extensions(head, out);
}

Datagram classify_udp_4500(std::span<const std::uint8_t> udp, std::uint32_t available) noexcept {
  if (udp.size() < 8) return Datagram::malformed;
  const std::uint32_t length = load_be16(udp.data() + 4);
  if (length < 8 || length > available) return Datagram::malformed;
  const std::uint32_t payload = length - 8;
  if (payload == 1 && udp.size() >= 9 && udp[8] == 0xff) return Datagram::keepalive;
  if (payload < 4 || udp.size() < 12) return Datagram::malformed;
  if (load_be32(udp.data() + 8) == 0) return Datagram::ike;
  return payload >= 8 ? Datagram::esp : Datagram::malformed;
}

}  // namespace espalier
