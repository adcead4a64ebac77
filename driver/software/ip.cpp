// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "ip.hpp"

#include <cstring>

#include "bytes.hpp"

namespace espalier::driver::software {
namespace {

constexpr unsigned kLength4 = 2, kChecksum4 = 10;
constexpr unsigned kLength6 = 4;

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

void set_class6(std::uint8_t* header, std::uint8_t value) noexcept {
  header[0] = static_cast<std::uint8_t>((header[0] & 0xf0) | value >> 4);
  header[1] = static_cast<std::uint8_t>((header[1] & 0x0f) | value << 4);
}

/// Changes the TOS octet and updates the checksum by the difference (RFC 1624), so that a wrong one
/// stays wrong.
void set_tos4(std::uint8_t* header, std::uint8_t value) noexcept {
  const std::uint32_t sum = static_cast<std::uint16_t>(~load16(header + kChecksum4)) +
                            static_cast<std::uint16_t>(~header[1] & 0xffff) + value;
  const std::uint32_t once = (sum & 0xffff) + (sum >> 16);
  header[1] = value;
  store16(header + kChecksum4, static_cast<std::uint16_t>(~((once & 0xffff) + (once >> 16))));
}

enum Ecn : std::uint8_t { kNotEct = 0, kEct1 = 1, kEct0 = 2, kCe = 3 };
constexpr std::uint8_t kDrop = 4;
/// RFC 6040 4.2, figure 4: [inner][outer].
constexpr std::uint8_t kEgress[4][4] = {
    {kNotEct, kNotEct, kNotEct, kDrop},
    {kEct1, kEct1, kEct1, kCe},
    {kEct0, kEct1, kEct0, kCe},
    {kCe, kCe, kCe, kCe},
};

/// The inner packet's length by its own header; 0 if that cannot be right.
std::uint32_t inner_length(std::span<const std::uint8_t> inner, std::uint8_t next) noexcept {
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

/// In whole words: reading back what was written in pieces would stall.  The template has zeros
/// where the job's fields go, so they are added to its words and to its sum.
void write_outer4(const SaShape& sa, const Job& job, std::size_t total,
                  std::uint8_t* out) noexcept {
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

void write_outer(const SaShape& sa, const Job& job, std::size_t total, std::uint8_t* out) noexcept {
  if (sa.outer == Family::ipv4) {
    write_outer4(sa, job, total, out);
  } else {
    const std::uint32_t first =
        0x60000000u | std::uint32_t{job.tos} << 20 | (job.identity & 0xfffff);
    std::memcpy(out, sa.header_template.data(), kHeader6);
    store64(out, std::uint64_t{first} << 32 | (total - kHeader6) << 16 |
                     std::uint64_t{sa.header_template[kNext6]} << 8 | job.ttl);
  }
  if (sa.udp) {
    const unsigned ip = sa.outer == Family::ipv4 ? kHeader4 : kHeader6;
    write_udp(sa, total - ip - kUdpHeader, out + ip);
  }
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

bool is_whole(std::span<const std::uint8_t> packet, std::uint8_t next) noexcept {
  return inner_length(packet, next) == packet.size();
}

Status leave_tunnel(const SaShape& sa, std::uint8_t next, std::uint8_t outer_class,
                    std::span<std::uint8_t> inner, std::uint32_t& length) noexcept {
  if (next != kIpv4 && next != kIpv6) return Status::bad_next_header;
  length = inner_length(inner, next);
  if (length == 0) return Status::bad_inner;
  if (!sa.copy_ecn) return Status::ok;
  const Family family = next == kIpv4 ? Family::ipv4 : Family::ipv6;
  const std::uint8_t inner_class = traffic_class(inner.data(), family);
  const std::uint8_t ecn = kEgress[inner_class & 3][outer_class & 3];
  if (ecn == kDrop) return Status::congested;
  if (ecn == (inner_class & 3)) return Status::ok;
  const auto marked = static_cast<std::uint8_t>((inner_class & 0xfc) | ecn);
  family == Family::ipv4 ? set_tos4(inner.data(), marked) : set_class6(inner.data(), marked);
  return Status::ok;
}

}  // namespace espalier::driver::software
