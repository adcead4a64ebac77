// SPDX-License-Identifier: BSD-2-Clause-Patent
// Latencies of many jobs in fixed memory.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "espalier/driver/device.hpp"

namespace espalier::driver::stream {

/// Counts cycles one by one up to kExact; what is longer counts as kExact for the median alone.
class LatencyHistogram {
 public:
  static constexpr std::uint64_t kExact = 1u << 14;

  void add(std::uint64_t cycles) noexcept {
    minimum_ = jobs_ == 0 ? cycles : std::min(minimum_, cycles);
    maximum_ = std::max(maximum_, cycles);
    ++jobs_;
    ++counts_[std::min(cycles, kExact)];
  }

  LatencyCycles summary() const noexcept {
    if (jobs_ == 0) return {};
    std::uint64_t seen = 0, median = 0;
    while (seen + counts_[median] <= (jobs_ - 1) / 2) seen += counts_[median++];
    return {jobs_, minimum_, median, maximum_};
  }

 private:
  std::uint64_t jobs_ = 0, minimum_ = 0, maximum_ = 0;
  std::array<std::uint64_t, kExact + 1> counts_{};
};

}  // namespace espalier::driver::stream
