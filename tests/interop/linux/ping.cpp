// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "ping.hpp"

#include <algorithm>
#include <array>

#include "packet/checksum.hpp"
#include "packet/octets.hpp"

namespace espalier::interop {
namespace {

constexpr std::uint8_t kIcmp4 = 1, kIcmp6 = 58;
constexpr std::uint8_t kRequest4 = 8, kReply4 = 0, kRequest6 = 128, kReply6 = 129;
constexpr std::size_t kIcmpHeader = 8;

std::size_t ip_header(Family family) {
  return family == Family::ipv4 ? 20 : 40;
}

/// ICMPv6 sums a pseudo header too (RFC 8200 8.1).
std::uint32_t pseudo_header(const Echo& echo, std::size_t icmp_octets) {
  if (echo.source.family == Family::ipv4) return 0;
  std::uint32_t sum = checksum_add(echo.source.octets, 0);
  sum = checksum_add(echo.destination.octets, sum);
  return sum + static_cast<std::uint32_t>(icmp_octets) + kIcmp6;
}

}  // namespace

Echo Echo::reply() const {
  Echo answer = *this;
  std::swap(answer.source, answer.destination);
  return answer;
}

std::vector<std::uint8_t> request_packet(const Echo& echo) {
  const bool v4 = echo.source.family == Family::ipv4;
  const std::size_t header = ip_header(echo.source.family);
  const std::size_t icmp = kIcmpHeader + echo.payload.size();
  std::vector<std::uint8_t> packet(header + icmp);
  std::uint8_t* p = packet.data();
  p[0] = v4 ? 0x45 : 0x60;
  store_be16(p + (v4 ? 2 : 4), static_cast<std::uint16_t>(v4 ? packet.size() : icmp));
  p[v4 ? 9 : 6] = v4 ? kIcmp4 : kIcmp6;
  p[v4 ? 8 : 7] = 64;
  std::copy_n(echo.source.octets.begin(), echo.source.size(), p + (v4 ? 12 : 8));
  std::copy_n(echo.destination.octets.begin(), echo.destination.size(), p + (v4 ? 16 : 24));
  if (v4)
    store_be16(p + 10, static_cast<std::uint16_t>(~checksum_fold(checksum_add({p, header}, 0))));
  p += header;
  p[0] = v4 ? kRequest4 : kRequest6;
  store_be16(p + 4, echo.identifier);
  store_be16(p + 6, echo.sequence);
  std::copy(echo.payload.begin(), echo.payload.end(), p + kIcmpHeader);
  store_be16(p + 2, static_cast<std::uint16_t>(
                        ~checksum_fold(checksum_add({p, icmp}, pseudo_header(echo, icmp)))));
  return packet;
}

bool parse_reply(const std::vector<std::uint8_t>& packet, Echo& reply) {
  if (packet.size() < 28) return false;
  const bool v4 = packet[0] == 0x45;
  const Family family = v4 ? Family::ipv4 : Family::ipv6;
  const std::size_t header = ip_header(family);
  if (packet.size() < header + kIcmpHeader) return false;
  const std::uint8_t* p = packet.data();
  const std::size_t icmp = packet.size() - header;
  if (load_be16(p + (v4 ? 2 : 4)) != (v4 ? packet.size() : icmp)) return false;
  if (p[v4 ? 9 : 6] != (v4 ? kIcmp4 : kIcmp6) || p[header] != (v4 ? kReply4 : kReply6))
    return false;
  reply.source = Address::from(family, p + (v4 ? 12 : 8));
  reply.destination = Address::from(family, p + (v4 ? 16 : 24));
  if (v4 && checksum_fold(checksum_add({p, header}, 0)) != 0xffff) return false;
  p += header;
  reply.identifier = load_be16(p + 4);
  reply.sequence = load_be16(p + 6);
  reply.payload.assign(p + kIcmpHeader, p + icmp);
  return checksum_fold(checksum_add({p, icmp}, pseudo_header(reply, icmp))) == 0xffff;
}

}  // namespace espalier::interop
