// SPDX-License-Identifier: BSD-2-Clause-Patent
// Outbound numbers: a 64-bit counter that stops for good (RFC 4303 3.3.3, D2).
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace espalier {

/// A run of consecutive numbers; count 0 if none are left.
struct NumberRange {
  std::uint64_t first = 0;
  std::uint32_t count = 0;
};

/// Threads: any number of callers.
class NumberCounter {
 public:
  /// `last` is the last number used, `limit` the last that may be.
  void start(std::uint64_t last, std::uint64_t limit) {
    limit_ = limit;
    last_.store(std::min(last, limit), std::memory_order_relaxed);
  }
  /// Up to `wanted` numbers, fewer where the limit comes first.
  NumberRange take(std::uint32_t wanted) noexcept {
    std::uint64_t last = last_.load(std::memory_order_relaxed);
    for (;;) {
      const std::uint64_t left = limit_ - last;
      const std::uint32_t count = left < wanted ? static_cast<std::uint32_t>(left) : wanted;
      if (last_.compare_exchange_weak(last, last + count, std::memory_order_relaxed))
        return {last + 1, count};
    }
  }
  /// Takes a range back that was not used, if no later number has been given out.
  void give_back(const NumberRange& range) noexcept {
    std::uint64_t last = range.first + range.count - 1;
    last_.compare_exchange_strong(last, range.first - 1, std::memory_order_relaxed);
  }
  std::uint64_t last() const noexcept { return last_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> last_{0};
  std::uint64_t limit_ = 0;
};

}  // namespace espalier
