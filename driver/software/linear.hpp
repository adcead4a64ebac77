// SPDX-License-Identifier: BSD-2-Clause-Patent
// Segment lists to one piece of memory and back.
#pragma once

#include <functional>
#include <span>

#include "shape.hpp"

namespace espalier::driver::software {

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

inline bool overlap(const Segment& a, const Segment& b) noexcept {
  const std::less<const std::uint8_t*> before;
  return before(a.data, b.data + b.length) && before(b.data, a.data + a.length);
}

}  // namespace espalier::driver::software
