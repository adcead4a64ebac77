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

/// The packet's first octets, contiguous.  Points into the packet where it can.
class Head {
 public:
  std::span<const std::uint8_t> octets() const { return view_; }

  /// `segments` hold `total` octets.
  void read(std::span<const Segment> segments, std::uint32_t total) noexcept {
    const std::uint32_t wanted = std::min(total, kHeadOctets);
    if (segments[0].length >= wanted) {
      view_ = {segments[0].data, segments[0].length};
      return;
    }
    std::uint32_t have = 0;
    for (const Segment& s : segments) {
      const std::uint32_t part = std::min(s.length, wanted - have);
      if (part != 0) std::memcpy(copy_ + have, s.data, part);
      have += part;
    }
    view_ = {copy_, have};
  }

 private:
  std::span<const std::uint8_t> view_;
  std::uint8_t copy_[kHeadOctets];
};

/// Copies the job's segment lists, without the octets before the IP header.  Returns the source's
/// octets; 0 if the source is empty, a list too long, or the IP header not reached.  In place there
/// is no destination yet: see place().
inline std::uint32_t take_segments(const Job& in, Pending& out) noexcept {
  const std::size_t sources = in.source.size(), destinations = in.destination.size();
  if (sources - 1 >= driver::kMaxSegments || destinations > driver::kMaxSegments ||
      in.source[0].length <= in.l3_offset)
    return 0;
  out.source[0] = {in.source[0].data + in.l3_offset, in.source[0].length - in.l3_offset};
  out.destination[0] = destinations == 0 ? Segment{} : in.destination[0];
  out.job.source = {out.source, sources};
  out.job.destination = {out.destination, destinations};
  out.destination_room = out.destination[0].length;
  if ((sources | destinations) == 1) return out.source[0].length;

  std::uint64_t total = out.source[0].length, room = out.destination_room;
  for (std::size_t i = 1; i < sources; ++i) {
    out.source[i] = in.source[i];
    total += in.source[i].length;
  }
  for (std::size_t i = 1; i < destinations; ++i) {
    out.destination[i] = in.destination[i];
    room += in.destination[i].length;
  }
  out.destination_room = static_cast<std::uint32_t>(std::min<std::uint64_t>(room, 0xffffffffu));
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(total, 0xffffffffu));
}

/// In place: the result begins `shift` octets behind the packet, in the source's own segments, so
/// that the payload keeps its place.  False if that is before or past them.
inline bool place(const Job& in, std::int64_t shift, Pending& out) noexcept {
  const std::int64_t offset = in.l3_offset + shift;
  if (offset < 0) return false;
  std::uint64_t before = static_cast<std::uint64_t>(offset), room = 0;
  std::size_t count = 0;
  for (const Segment& s : in.source) {
    if (count == 0 && before >= s.length) {
      before -= s.length;
      continue;
    }
    out.destination[count] = {s.data + before, s.length - static_cast<std::uint32_t>(before)};
    room += out.destination[count++].length;
    before = 0;
  }
  out.job.destination = {out.destination, count};
  out.destination_room = static_cast<std::uint32_t>(std::min<std::uint64_t>(room, 0xffffffffu));
  out.result.offset = static_cast<std::uint32_t>(offset);
  return count != 0;
}

/// Copies the destination alone, for a job without a source.  False if it is empty or too long.
inline bool take_destinations(const Job& in, Pending& out) noexcept {
  const std::size_t destinations = in.destination.size();
  if (destinations - 1 >= driver::kMaxSegments) return false;
  std::uint64_t room = 0;
  for (std::size_t i = 0; i < destinations; ++i) {
    out.destination[i] = in.destination[i];
    room += in.destination[i].length;
  }
  out.job.destination = {out.destination, destinations};
  out.destination_room = static_cast<std::uint32_t>(std::min<std::uint64_t>(room, 0xffffffffu));
  return true;
}

/// Cuts the source of `total` octets to the packet's own length (conformance I18).
inline void cut_source(std::uint32_t total, std::uint32_t length, Pending& out) noexcept {
  if (total == length) return;
  std::uint32_t have = 0;
  std::size_t count = 0;
  while (count < out.job.source.size() && have < length) {
    Segment& s = out.source[count++];
    s.length = std::min(s.length, length - have);
    have += s.length;
  }
  out.job.source = {out.source, count};
}

}  // namespace espalier
