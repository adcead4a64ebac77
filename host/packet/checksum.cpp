// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "packet/checksum.hpp"

#include "packet/ip.hpp"
#include "packet/octets.hpp"

namespace espalier {
namespace {

constexpr std::uint8_t kProtocolTcp = 6;

/// Octets from the transport header to its checksum; 0 if the protocol has none over addresses.
std::uint32_t checksum_offset(std::uint8_t protocol) {
  return protocol == kProtocolTcp ? 16 : protocol == kProtocolUdp ? 6 : 0;
}

/// Adds ~old to the sum: what RFC 1624 does for each 16-bit word that was replaced.
std::uint32_t subtract(const Address& address, std::uint32_t sum) {
  for (unsigned i = 0; i < address.size(); i += 2)
    sum += 0xffffu - load_be16(address.octets.data() + i);
  return sum;
}

}  // namespace

std::uint32_t checksum_add(std::span<const std::uint8_t> octets, std::uint32_t sum) noexcept {
  std::uint64_t wide = sum;
  std::size_t i = 0;
  for (; i + 1 < octets.size(); i += 2) wide += load_be16(octets.data() + i);
  if (i < octets.size()) wide += static_cast<std::uint32_t>(octets[i]) << 8;
  while (wide >> 32) wide = (wide & 0xffffffffu) + (wide >> 32);
  return static_cast<std::uint32_t>(wide);
}

std::uint16_t checksum_fold(std::uint32_t sum) noexcept {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

void fix_nat_checksum(std::span<std::uint8_t> packet, const Address& original_source,
                      const Address& original_destination) noexcept {
  IpHeader ip;
  if (parse_ip(packet, static_cast<std::uint32_t>(packet.size()), ip) != Drop::none) return;
  const std::uint32_t offset = checksum_offset(ip.protocol);
  if (offset == 0 || ip.fragment || ip.header_length + offset + 2 > ip.length) return;
  std::uint8_t* field = packet.data() + ip.header_length + offset;
  const std::uint16_t old = load_be16(field);
  if (ip.protocol == kProtocolUdp && old == 0) return;

  const unsigned octets = ip.family == Family::ipv4 ? 4 : 16;
  std::uint32_t sum = 0xffffu - old;
  sum = subtract(original_source, sum);
  sum = subtract(original_destination, sum);
  sum = checksum_add({ip.source, octets}, sum);
  sum = checksum_add({ip.destination, octets}, sum);
  std::uint16_t fixed = static_cast<std::uint16_t>(~checksum_fold(sum));
  if (ip.protocol == kProtocolUdp && fixed == 0) fixed = 0xffff;
  store_be16(field, fixed);
}

}  // namespace espalier
