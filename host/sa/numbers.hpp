// SPDX-License-Identifier: BSD-2-Clause-Patent
// Outbound numbers: a 64-bit counter that stops for good (RFC 4303 3.3.3, D2).
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "epoch/users.hpp"

namespace espalier {

/// A run of consecutive numbers; count 0 if none are left.
struct NumberRange {
  std::uint64_t first = 0;
  std::uint32_t count = 0;
};

/// Threads: as start() was told; start() while nobody takes.
class NumberCounter {
 public:
  /// `last` is the last number used, `limit` the last that may be.
  void start(std::uint64_t last, std::uint64_t limit, Users users) {
    limit_ = limit;
    users_ = users;
    last_.store(std::min(last, limit), std::memory_order_relaxed);
  }
  /// Up to `wanted` numbers, fewer where the limit comes first.
  NumberRange take(std::uint32_t wanted) noexcept {
    std::uint64_t last = last_.load(std::memory_order_relaxed);
    for (;;) {
      const std::uint64_t left = limit_ - last;
      const std::uint32_t count = left < wanted ? static_cast<std::uint32_t>(left) : wanted;
      if (replace(last, last + count)) return {last + 1, count};
    }
  }
  /// Takes a range back that was not used, if no later number has been given out.
  void give_back(const NumberRange& range) noexcept {
    std::uint64_t last = range.first + range.count - 1;
    if (last_.load(std::memory_order_relaxed) == last) replace(last, range.first - 1);
  }
  std::uint64_t last() const noexcept { return last_.load(std::memory_order_relaxed); }

 private:
  /// False, and the present value in `from`, if that is another.
  bool replace(std::uint64_t& from, std::uint64_t to) noexcept {
    if (users_ == Users::any)
      return last_.compare_exchange_strong(from, to, std::memory_order_relaxed);
    last_.store(to, std::memory_order_relaxed);
    return true;
  }

  std::atomic<std::uint64_t> last_{0};
  std::uint64_t limit_ = 0;
  Users users_ = Users::any;
};

}  // namespace espalier
