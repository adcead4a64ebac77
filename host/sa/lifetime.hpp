// SPDX-License-Identifier: BSD-2-Clause-Patent
// Lifetimes in bytes and packets, exact under any number of queues.
#pragma once

#include <atomic>
#include <cstdint>

#include "epoch/users.hpp"
#include "espalier/sa.hpp"

namespace espalier {

/// Threads: callers of take() as start() was told; start() and change() while nobody takes.
class LifetimeMeter {
 public:
  enum class Verdict : std::uint8_t { fine, soft, hard };

  void start(const Lifetime& soft, const Lifetime& hard, Users users) {
    users_ = users;
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
    start(soft, hard, users_);
    bytes_.store(bytes, std::memory_order_relaxed);
    packets_.store(packets, std::memory_order_relaxed);
  }
  /// Counts one packet of `bytes`, unless that would pass the hard limit.  `soft` from the packet
  /// that reaches the soft limit on.  Costs nothing where no limit is set.
  Verdict take(std::uint32_t bytes) noexcept {
    if (!limited_) return Verdict::fine;
    if (!add(bytes_, bytes, hard_.bytes)) return Verdict::hard;
    if (!add(packets_, 1, hard_.packets)) {
      take_back(bytes_, bytes);
      return Verdict::hard;
    }
    return bytes_.load(std::memory_order_relaxed) >= soft_.bytes ||
                   packets_.load(std::memory_order_relaxed) >= soft_.packets
               ? Verdict::soft
               : Verdict::fine;
  }

 private:
  void take_back(std::atomic<std::uint64_t>& total, std::uint64_t amount) noexcept {
    if (users_ == Users::any)
      total.fetch_sub(amount, std::memory_order_relaxed);
    else
      total.store(total.load(std::memory_order_relaxed) - amount, std::memory_order_relaxed);
  }
  bool add(std::atomic<std::uint64_t>& total, std::uint64_t amount, std::uint64_t limit) noexcept {
    std::uint64_t value = total.load(std::memory_order_relaxed);
    do {
      if (amount > limit || value > limit - amount) return false;
      if (users_ == Users::one) {
        total.store(value + amount, std::memory_order_relaxed);
        return true;
      }
    } while (!total.compare_exchange_weak(value, value + amount, std::memory_order_relaxed));
    return true;
  }

  Users users_ = Users::any;
  bool limited_ = false;  // near the front: most SAs need nothing else
  Lifetime soft_, hard_;
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> packets_{0};
};

}  // namespace espalier
