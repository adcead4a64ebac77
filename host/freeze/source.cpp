// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "freeze/source.hpp"

namespace espalier {

std::uint32_t take_lists(const Job& in, Pending& out) noexcept {
  const std::size_t sources = in.source.size(), destinations = in.destination.size();
  if (sources - 1 >= driver::kMaxSegments || destinations > driver::kMaxSegments ||
      in.source[0].length <= in.l3_offset)
    return 0;
  Segment* const source = out.segments;
  Segment* const destination = source + sources;
  std::uint64_t total = 0, room = 0;
  for (std::size_t i = 0; i < sources; ++i) {
    source[i] = in.source[i];
    total += in.source[i].length;
  }
  for (std::size_t i = 0; i < destinations; ++i) {
    destination[i] = in.destination[i];
    room += in.destination[i].length;
  }
  source[0] = {source[0].data + in.l3_offset, source[0].length - in.l3_offset};
  total -= in.l3_offset;
  out.job.source = {source, sources};
  out.job.destination = {destination, destinations};
  constexpr std::uint64_t kMost = 0xffffffffu;
  out.destination_room = static_cast<std::uint32_t>(std::min(room, kMost));
  return static_cast<std::uint32_t>(std::min(total, kMost));
}

bool place_scattered(const Job& in, std::int64_t offset, Pending& out) noexcept {
  if (offset < 0) return false;
  std::uint64_t before = static_cast<std::uint64_t>(offset), room = 0;
  Segment* const destination = out.segments + in.source.size();
  std::size_t count = 0;
  for (const Segment& s : in.source) {
    if (count == 0 && before >= s.length) {
      before -= s.length;
      continue;
    }
    destination[count] = {s.data + before, s.length - static_cast<std::uint32_t>(before)};
    room += destination[count++].length;
    before = 0;
  }
  out.job.destination = {destination, count};
  out.destination_room = static_cast<std::uint32_t>(std::min<std::uint64_t>(room, 0xffffffffu));
  out.result.offset = static_cast<std::uint32_t>(offset);
  return count != 0;
}

void cut_scattered(std::uint32_t length, Pending& out) noexcept {
  std::uint32_t have = 0;
  std::size_t count = 0;
  while (count < out.job.source.size() && have < length) {
    Segment& s = out.segments[count++];
    s.length = std::min(s.length, length - have);
    have += s.length;
  }
  out.job.source = {out.segments, count};
}

}  // namespace espalier
