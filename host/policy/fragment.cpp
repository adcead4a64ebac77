// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "policy/fragment.hpp"

#include <algorithm>
#include <cstring>

#include "packet/checksum.hpp"
#include "packet/octets.hpp"

namespace espalier {
namespace {

enum : std::uint8_t { kHopByHop = 0, kRouting = 43, kFragment = 44, kDestinationOptions = 60 };
constexpr std::uint32_t kFragmentHeader = 8;

/// The headers that every fragment repeats: those up to the last hop-by-hop or routing header.
struct PerFragment {
  std::uint32_t end = 40;
  std::uint32_t next_at = 6;
};
PerFragment per_fragment(const std::uint8_t* packet, const IpHeader& ip) {
  PerFragment out;
  std::uint32_t at = 40, next_at = 6;
  while (at < ip.header_length) {
    const std::uint8_t type = packet[next_at];
    const std::uint32_t end = at + (type == kFragment ? 8 : (packet[at + 1] + 1u) * 8u);
    if (type == kHopByHop || type == kRouting) out = {end, at};
    next_at = at;
    at = end;
  }
  return out;
}

/// Copies the options that go into every fragment (RFC 791 3.1, the copied flag), padded to whole
/// words.  Returns their octets.
std::uint32_t copy_options(const std::uint8_t* from, std::uint32_t octets, std::uint8_t* to) {
  std::uint32_t written = 0;
  for (std::uint32_t i = 0; i < octets && from[i] != 0;) {
    const std::uint32_t length = from[i] == 1 ? 1u : i + 1 < octets ? from[i + 1] : 0u;
    if (length == 0 || (from[i] != 1 && length < 2) || i + length > octets) break;
    if ((from[i] & 0x80) != 0) {
      std::memcpy(to + written, from + i, length);
      written += length;
    }
    i += length;
  }
  while (written % 4 != 0) to[written++] = 0;
  return written;
}

}  // namespace

Cut::Cut(std::span<const std::uint8_t> packet, const IpHeader& ip, std::uint32_t limit,
         std::uint32_t id) noexcept
    : packet_(packet.first(ip.length)), family_(ip.family), id_(id) {
  std::uint32_t extra = 0;
  if (family_ == Family::ipv4) {
    header_ = ip.header_length;
  } else {
    const PerFragment kept = per_fragment(packet.data(), ip);
    header_ = kept.end;
    next_at_ = kept.next_at;
    extra = kFragmentHeader;
  }
  payload_ = ip.length - header_;
  if (limit < header_ + extra + 8) return;
  step_ = (limit - header_ - extra) / 8 * 8;
  pieces_ = std::max(1u, (payload_ + step_ - 1) / step_);
}

std::uint32_t Cut::write(std::uint32_t i, std::span<std::uint8_t> out) const noexcept {
  const std::uint32_t from = i * step_, octets = std::min(step_, payload_ - from);
  const bool more = i + 1 < pieces_;
  return family_ == Family::ipv4 ? write_v4(from, octets, more, out.data())
                                 : write_v6(from, octets, more, out.data());
}

std::uint32_t Cut::write_v4(std::uint32_t from, std::uint32_t octets, bool more,
                            std::uint8_t* out) const noexcept {
  const std::uint8_t* packet = packet_.data();
  std::uint32_t header = header_;
  std::memcpy(out, packet, from == 0 ? header_ : 20);
  if (from != 0) header = 20 + copy_options(packet + 20, header_ - 20, out + 20);
  const std::uint16_t word = load_be16(packet + 6);
  const std::uint32_t offset = (word & 0x1fffu) + from / 8;
  out[0] = static_cast<std::uint8_t>(0x40 | header / 4);
  store_be16(out + 2, static_cast<std::uint16_t>(header + octets));
  store_be16(out + 6,
             static_cast<std::uint16_t>((word & 0x2000u) | (more ? 0x2000u : 0u) | offset));
  store_be16(out + 10, 0);
  store_be16(out + 10, static_cast<std::uint16_t>(~checksum_fold(checksum_add({out, header}, 0))));
  std::memcpy(out + header, packet + header_ + from, octets);
  return header + octets;
}

std::uint32_t Cut::write_v6(std::uint32_t from, std::uint32_t octets, bool more,
                            std::uint8_t* out) const noexcept {
  std::memcpy(out, packet_.data(), header_);
  std::uint8_t* fragment = out + header_;
  fragment[0] = out[next_at_];
  fragment[1] = 0;
  store_be16(fragment + 2, static_cast<std::uint16_t>(from | (more ? 1u : 0u)));
  store_be32(fragment + 4, id_);
  out[next_at_] = kFragment;
  std::memcpy(fragment + kFragmentHeader, packet_.data() + header_ + from, octets);
  const std::uint32_t length = header_ + kFragmentHeader + octets;
  store_be16(out + 4, static_cast<std::uint16_t>(length - 40));
  return length;
}

}  // namespace espalier
