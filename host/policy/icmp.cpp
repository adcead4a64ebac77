// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "policy/icmp.hpp"

#include <algorithm>
#include <cstring>

#include "packet/checksum.hpp"
#include "packet/octets.hpp"
#include "policy/flow.hpp"

namespace espalier {
namespace {

constexpr std::uint32_t kIcmpHeader = 8;
constexpr std::uint32_t kMessageV4 = 576;  // RFC 1812 4.3.2.3
constexpr std::uint8_t kTtl = 64;
constexpr std::uint16_t kTooBigV4 = 3 << 8 | 4;  // type and code
constexpr std::uint16_t kTooBigV6 = 2 << 8 | 0;

bool one_host(Family family, const std::uint8_t* a) {
  if (family == Family::ipv4) return a[0] != 0 && a[0] != 127 && a[0] < 224;
  const bool unspecified = std::all_of(a, a + 16, [](std::uint8_t o) { return o == 0; });
  return a[0] != 0xff && !unspecified;
}

bool is_icmp_error(std::span<const std::uint8_t> packet, const IpHeader& ip) {
  if (ip.length <= ip.header_length) return false;
  const std::uint8_t type = packet[ip.header_length];
  if (ip.protocol == kProtocolIcmp6) return type < 128;
  return ip.protocol == kProtocolIcmp &&
         (type == 3 || type == 4 || type == 5 || type == 11 || type == 12);
}

/// Sum over ICMPv6's pseudo-header: addresses, length, next header.
std::uint32_t pseudo_sum(const std::uint8_t* addresses, std::uint32_t length) {
  return checksum_add({addresses, 32}, length + kProtocolIcmp6);
}

}  // namespace

bool may_answer(std::span<const std::uint8_t> packet, const IpHeader& ip) noexcept {
  return one_host(ip.family, ip.source) && one_host(ip.family, ip.destination) &&
         !(ip.fragment && fragment_of(packet.data(), ip).offset != 0) && !is_icmp_error(packet, ip);
}

std::uint32_t write_too_big(std::span<const std::uint8_t> packet, const IpHeader& ip,
                            std::uint32_t mtu, const std::uint8_t* from,
                            std::span<std::uint8_t> out) noexcept {
  const bool v4 = ip.family == Family::ipv4;
  const std::uint32_t header = v4 ? 20 : 40;
  const std::uint32_t room = std::min<std::uint32_t>(static_cast<std::uint32_t>(out.size()),
                                                     v4 ? kMessageV4 : kLeastMtuV6);
  const std::uint32_t quoted = std::min(ip.length, room - header - kIcmpHeader);
  const std::uint32_t message = kIcmpHeader + quoted;
  std::uint8_t* p = out.data();
  std::uint8_t* icmp = p + header;
  std::memset(p, 0, header + kIcmpHeader);
  std::memcpy(icmp + kIcmpHeader, packet.data(), quoted);
  if (v4) {
    p[0] = 0x45;
    store_be16(p + 2, static_cast<std::uint16_t>(header + message));
    p[8] = kTtl;
    p[9] = kProtocolIcmp;
    std::memcpy(p + 12, from, 4);
    std::memcpy(p + 16, ip.source, 4);
    store_be16(p + 10, static_cast<std::uint16_t>(~checksum_fold(checksum_add({p, 20}, 0))));
    store_be16(icmp, kTooBigV4);
    store_be16(icmp + 6, static_cast<std::uint16_t>(std::min(mtu, 65535u)));
    store_be16(icmp + 2,
               static_cast<std::uint16_t>(~checksum_fold(checksum_add({icmp, message}, 0))));
  } else {
    p[0] = 0x60;
    store_be16(p + 4, static_cast<std::uint16_t>(message));
    p[6] = kProtocolIcmp6;
    p[7] = kTtl;
    std::memcpy(p + 8, from, 16);
    std::memcpy(p + 24, ip.source, 16);
    store_be16(icmp, kTooBigV6);
    store_be32(icmp + 4, mtu);
    store_be16(icmp + 2, static_cast<std::uint16_t>(~checksum_fold(
                             checksum_add({icmp, message}, pseudo_sum(p + 8, message)))));
  }
  return header + message;
}

std::optional<TooBig> read_too_big(std::span<const std::uint8_t> packet, const IpHeader& ip,
                                   std::uint16_t nat_port) noexcept {
  const bool v4 = ip.family == Family::ipv4;
  if (ip.fragment || ip.protocol != (v4 ? kProtocolIcmp : kProtocolIcmp6) ||
      ip.length < ip.header_length + kIcmpHeader)
    return std::nullopt;
  const std::span<const std::uint8_t> icmp =
      packet.subspan(ip.header_length, ip.length - ip.header_length);
  if (load_be16(icmp.data()) != (v4 ? kTooBigV4 : kTooBigV6)) return std::nullopt;
  const std::uint32_t sum = v4 ? 0 : pseudo_sum(ip.source, static_cast<std::uint32_t>(icmp.size()));
  if (checksum_fold(checksum_add(icmp, sum)) != 0xffff) return std::nullopt;

  TooBig out;
  out.mtu = v4 ? load_be16(icmp.data() + 6) : load_be32(icmp.data() + 4);
  // The quotation may be cut anywhere, so its length field is believed, not checked.
  const std::span<const std::uint8_t> quoted = icmp.subspan(kIcmpHeader);
  IpHeader inner;
  if (parse_ip(quoted, 0x10000 + 40, inner) != Drop::none || inner.family != ip.family)
    return std::nullopt;
  if (inner.fragment && fragment_of(quoted.data(), inner).offset != 0) return std::nullopt;
  std::uint32_t at = inner.header_length;
  if (inner.protocol == kProtocolUdp && nat_port != 0) {
    if (quoted.size() < at + 8 || load_be16(quoted.data() + at) != nat_port) return std::nullopt;
    at += 8;
    out.udp = true;
  } else if (inner.protocol == kProtocolAh) {
    at += 4;
    out.ah = true;
  } else if (inner.protocol != kProtocolEsp) {
    return std::nullopt;
  }
  if (quoted.size() < at + 4) return std::nullopt;
  out.family = inner.family;
  out.source = inner.source;
  out.destination = inner.destination;
  out.spi = load_be32(quoted.data() + at);
  return out;
}

}  // namespace espalier
