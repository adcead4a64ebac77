// SPDX-License-Identifier: BSD-2-Clause-Patent
// Segment lists as if they were one piece of memory.
#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <span>

#include "espalier/driver/job.hpp"

namespace espalier::driver {

/// Octets of all segments.
inline std::size_t total_length(std::span<const Segment> segments) noexcept {
  std::size_t sum = 0;
  for (const Segment& s : segments) sum += s.length;
  return sum;
}

/// Copies all segments behind each other.
inline void gather(std::span<const Segment> from, std::uint8_t* to) noexcept {
  for (const Segment& s : from) {
    if (s.length != 0) std::memcpy(to, s.data, s.length);
    to += s.length;
  }
}

/// Copies `from` into the segments, which have room for it.
inline void scatter(std::span<const std::uint8_t> from, std::span<const Segment> to) noexcept {
  for (const Segment& s : to) {
    const std::size_t take = std::min<std::size_t>(s.length, from.size());
    if (take == 0) continue;
    std::memcpy(s.data, from.data(), take);
    from = from.subspan(take);
  }
}

/// True if the segments begin with these octets.
inline bool begin_with(std::span<const Segment> segments,
                       std::span<const std::uint8_t> octets) noexcept {
  for (const Segment& s : segments) {
    const std::size_t part = std::min<std::size_t>(s.length, octets.size());
    if (part != 0 && std::memcmp(s.data, octets.data(), part) != 0) return false;
    octets = octets.subspan(part);
  }
  return octets.empty();
}

/// Zeroes all octets from the `from`-th on.
inline void wipe(std::span<const Segment> segments, std::size_t from = 0) noexcept {
  for (const Segment& s : segments) {
    const std::size_t skip = std::min<std::size_t>(s.length, from);
    if (skip != s.length) std::memset(s.data + skip, 0, s.length - skip);
    from -= skip;
  }
}

inline bool overlap(const Segment& a, const Segment& b) noexcept {
  const std::less<const std::uint8_t*> before;
  return before(a.data, b.data + b.length) && before(b.data, a.data + a.length);
}
inline bool overlap(std::span<const Segment> a, std::span<const Segment> b) noexcept {
  for (const Segment& x : a)
    for (const Segment& y : b)
      if (overlap(x, y)) return true;
  return false;
}

}  // namespace espalier::driver
