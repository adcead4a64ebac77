// SPDX-License-Identifier: BSD-2-Clause-Patent
// Lifetimes in bytes and packets, exact under any number of queues.
#pragma once

#include <atomic>
#include <cstdint>

#include "espalier/sa.hpp"

namespace espalier {

/// Threads: any number of callers of take().
class LifetimeMeter {
 public:
  enum class Verdict : std::uint8_t { fine, soft, hard };

  void start(const Lifetime& soft, const Lifetime& hard) {
    soft_ = soft;
    hard_ = hard;
    limited_ = soft.bytes != kNoLimit || soft.packets != kNoLimit || hard.bytes != kNoLimit ||
               hard.packets != kNoLimit;
    bytes_.store(0, std::memory_order_relaxed);
    packets_.store(0, std::memory_order_relaxed);
  }
  /// New limits for what is being counted already: from `bytes` and `packets` on if nothing was,
  /// for want of a limit.  While nobody takes.
  void change(const Lifetime& soft, const Lifetime& hard, std::uint64_t bytes,
              std::uint64_t packets) {
    if (limited_) {
      bytes = bytes_.load(std::memory_order_relaxed);
      packets = packets_.load(std::memory_order_relaxed);
    }
    start(soft, hard);
    bytes_.store(bytes, std::memory_order_relaxed);
    packets_.store(packets, std::memory_order_relaxed);
  }
  /// Counts one packet of `bytes`, unless that would pass the hard limit.  `soft` from the packet
  /// that reaches the soft limit on.  Costs nothing where no limit is set.
  Verdict take(std::uint32_t bytes) noexcept {
    if (!limited_) return Verdict::fine;
    if (!add(bytes_, bytes, hard_.bytes)) return Verdict::hard;
    if (!add(packets_, 1, hard_.packets)) {
      bytes_.fetch_sub(bytes, std::memory_order_relaxed);
      return Verdict::hard;
    }
    return bytes_.load(std::memory_order_relaxed) >= soft_.bytes ||
                   packets_.load(std::memory_order_relaxed) >= soft_.packets
               ? Verdict::soft
               : Verdict::fine;
  }

 private:
  static bool add(std::atomic<std::uint64_t>& total, std::uint64_t amount, std::uint64_t limit) {
    std::uint64_t value = total.load(std::memory_order_relaxed);
    do {
      if (amount > limit || value > limit - amount) return false;
    } while (!total.compare_exchange_weak(value, value + amount, std::memory_order_relaxed));
    return true;
  }

  bool limited_ = false;  // first: most SAs need nothing else
  Lifetime soft_, hard_;
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> packets_{0};
};

}  // namespace espalier
