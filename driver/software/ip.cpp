// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "ip.hpp"

#include <cstring>

#include "bytes.hpp"

namespace espalier::driver::software {
namespace {

/// Internet checksum of an IPv4 header whose checksum field counts as zero (RFC 1071).
std::uint16_t checksum(const std::uint8_t* header, std::size_t length) noexcept {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < length; i += 2)
    if (i != kChecksum4) sum += load16(header + i);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

/// Adds the octets as 16-bit words, the last one filled up with zero.
std::uint64_t add_words(std::span<const std::uint8_t> octets, std::uint64_t sum) noexcept {
  for (; octets.size() >= 4; octets = octets.subspan(4)) sum += load32(octets.data());
  if (octets.size() >= 2) {
    sum += load16(octets.data());
    octets = octets.subspan(2);
  }
  return octets.empty() ? sum : sum + (std::uint64_t{octets[0]} << 8);
}

IpHeader parse4(std::span<const std::uint8_t> packet, std::size_t header_length) noexcept {
  IpHeader out;
  if (packet.size() < kHeader4 || packet[0] >> 4 != 4) return out;
  const std::size_t own = 4u * (packet[0] & 15);
  const std::size_t total = load16(&packet[kLength4]);
  if (own < kHeader4 || own != header_length || total < own || total > packet.size()) return out;
  constexpr unsigned kMoreFragmentsAndOffset = 0x3fff;
  const bool fragment = (load16(&packet[6]) & kMoreFragmentsAndOffset) != 0;
  return {fragment ? Status::fragment : Status::ok, packet[kProtocol4], kProtocol4, total};
}

bool extension(std::uint8_t protocol) noexcept {
  return protocol == kHopByHop || protocol == kRouting || protocol == kFragment ||
         protocol == kDestinationOptions || protocol == kMobility;
}

IpHeader parse6(std::span<const std::uint8_t> packet, std::size_t header_length) noexcept {
  IpHeader out;
  if (packet.size() < kHeader6 || packet[0] >> 4 != 6) return out;
  const std::size_t total = load16(&packet[kLength6]) + std::size_t{kHeader6};
  if (total > packet.size() || header_length > total) return out;
  bool fragment = false;
  std::size_t at = kHeader6;
  std::size_t names = kNext6;
  for (unsigned headers = 0; at < header_length; ++headers) {
    const std::uint8_t kind = packet[names];
    if (headers == kMaxExtensionHeaders || !extension(kind) || header_length - at < 8) return out;
    // An atomic fragment (RFC 6946) is a whole packet.
    if (kind == kFragment) fragment |= (load16(&packet[at + 2]) & 0xfff9) != 0;
    names = at;
    at += kind == kFragment ? 8 : 8 * (packet[at + 1] + std::size_t{1});
  }
  if (at != header_length) return out;
  return {fragment ? Status::fragment : Status::ok, packet[names],
          static_cast<std::uint16_t>(names), total};
}

}  // namespace

IpHeader parse_header(std::span<const std::uint8_t> packet, Family family,
                      std::size_t header_length) noexcept {
  return family == Family::ipv4 ? parse4(packet, header_length) : parse6(packet, header_length);
}

void rewrite_header(std::uint8_t* header, Family family, std::size_t header_length,
                    std::size_t total, std::uint16_t next_offset, std::uint8_t next) noexcept {
  header[next_offset] = next;
  if (family == Family::ipv6) {
    store16(header + kLength6, total - kHeader6);
    return;
  }
  store16(header + kLength4, total);
  store16(header + kChecksum4, checksum(header, header_length));
}

void write_udp(const SaShape& sa, std::size_t payload, std::uint8_t* out) noexcept {
  std::memcpy(out, sa.header_template.data() + sa.header_length - kUdpHeader, kUdpHeader);
  store16(out + 4, payload + kUdpHeader);
}

void write_udp_checksum6(std::span<std::uint8_t> packet, std::size_t at) noexcept {
  constexpr unsigned kAddresses6 = 8;
  std::uint8_t* checksum = &packet[at + 6];
  store16(checksum, 0);
  std::uint64_t sum = kUdp + packet.size() - at;  // pseudo header, RFC 8200 8.1
  sum = add_words(packet.subspan(kAddresses6, 32), sum);
  sum = add_words(packet.subspan(at), sum);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  store16(checksum, sum == 0xffff ? 0xffff : ~sum & 0xffff);
}

}  // namespace espalier::driver::software
