// SPDX-License-Identifier: BSD-2-Clause-Patent
// A job's segments: copied, cut to the packet, and its first octets made contiguous for parsing.
#pragma once

#include <algorithm>
#include <cstring>
#include <span>

#include "batch/pending.hpp"
#include "packet/ip.hpp"

namespace espalier {

/// As many first octets as any header chain and the ESP or AH behind it can need.
inline constexpr std::uint32_t kHeadOctets = kMaxHeaderChain + 32;

/// Memory for a packet's first octets where they are not contiguous.
using HeadCopy = std::uint8_t[kHeadOctets];

/// The first octets of `segments`, `total` in all, contiguous: where they stand if they can.
inline std::span<const std::uint8_t> head_of(std::span<const Segment> segments, std::uint32_t total,
                                             HeadCopy& copy) noexcept {
  const Segment& first = segments[0];
  if (first.length == total || first.length >= kHeadOctets) [[likely]]
    return {first.data, first.length};
  const std::uint32_t wanted = std::min(total, kHeadOctets);
  std::uint32_t have = 0;
  for (const Segment& s : segments) {
    const std::uint32_t part = std::min(s.length, wanted - have);
    if (part != 0) std::memcpy(copy + have, s.data, part);
    have += part;
  }
  return {copy, have};
}

/// True if source and destination are one segment each, or one is both, as they mostly are.
inline bool plain(const Job& in) noexcept {
  return in.source.size() == 1 && in.destination.size() <= 1;
}

/// Copies the job's segment lists, without the octets before the IP header.  Returns the source's
/// octets; 0 if the source is empty, a list too long, or the IP header not reached.  In place there
/// is no destination yet: see place().
std::uint32_t take_lists(const Job& in, Pending& out) noexcept;
/// take_lists() for a plain job; gives the source.
[[gnu::always_inline]] inline Segment take_plain(const Job& in, Pending& out) noexcept {
  const Segment source = in.source[0];
  const std::uint32_t skip = in.l3_offset;
  if (source.length <= skip) return {};
  const Segment packet{source.data + skip, source.length - skip};
  out.segments[0] = packet;
  out.job.source = {&out.segments[0], 1};
  if (!in.destination.empty()) {
    const Segment destination = in.destination[0];
    out.segments[1] = destination;
    out.job.destination = {&out.segments[1], 1};
    out.destination_room = destination.length;
  }
  return packet;
}

bool place_scattered(const Job& in, std::int64_t offset, Pending& out) noexcept;
/// In place: the result begins `shift` octets behind the packet, in the source's own segments, so
/// that the payload keeps its place.  False if that is before or past them.
[[gnu::always_inline]] inline bool place(const Job& in, std::int64_t shift, Pending& out) noexcept {
  const std::int64_t offset = in.l3_offset + shift;
  if (in.source.size() != 1) [[unlikely]]
    return place_scattered(in, offset, out);
  const Segment all = in.source[0];
  if (offset < 0 || offset >= all.length) return false;
  const auto before = static_cast<std::uint32_t>(offset);
  out.segments[1] = {all.data + before, all.length - before};
  out.job.destination = {&out.segments[1], 1};
  out.destination_room = all.length - before;
  out.result.offset = before;
  return true;
}

/// Copies the destination of a job without a source, which gets an empty one.  False if it is empty
/// or too long.
inline bool take_destinations(const Job& in, Pending& out) noexcept {
  const std::size_t destinations = in.destination.size();
  if (destinations - 1 >= driver::kMaxSegments) return false;
  Segment* const destination = out.segments + 1;
  std::uint64_t room = 0;
  for (std::size_t i = 0; i < destinations; ++i) {
    destination[i] = in.destination[i];
    room += in.destination[i].length;
  }
  out.segments[0] = {destination[0].data, 0};
  out.job.source = {out.segments, 1};
  out.job.destination = {destination, destinations};
  out.destination_room = static_cast<std::uint32_t>(std::min<std::uint64_t>(room, 0xffffffffu));
  return true;
}

void cut_scattered(std::uint32_t length, Pending& out) noexcept;
/// Cuts the source, which is longer, to the packet's own length (conformance I18).
inline void cut_source(std::uint32_t length, Pending& out) noexcept {
  if (out.job.source.size() != 1) [[unlikely]]
    return cut_scattered(length, out);
  out.segments[0].length = length;
}

}  // namespace espalier
