// SPDX-License-Identifier: BSD-2-Clause-Patent
// How the control thread takes something away while queues read it without a lock.
//
// Each queue owns an Activity, odd while the queue may be reading what is shared.  The control
// thread first takes a thing out of sight, then notes all activities (Grace); once each of them has
// been even, or has changed, since, nobody can be looking at the thing any more.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

namespace espalier {

/// Threads: begin() and end() are the owning queue's; value() anybody's.
class Activity {
 public:
  /// Nothing more to do if it has begun already.
  void begin() noexcept {
    const std::uint64_t now = value_.load(std::memory_order_relaxed);
    if ((now & 1) == 0) value_.store(now + 1, std::memory_order_seq_cst);
  }
  void end() noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_seq_cst); }

 private:
  alignas(64) std::atomic<std::uint64_t> value_{0};
};

/// While one exists, nothing the queue can see is taken away.
class Reading {
 public:
  explicit Reading(Activity& activity) : activity_(activity) { activity_.begin(); }
  ~Reading() { activity_.end(); }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

 private:
  Activity& activity_;
};

/// The activities of all queues when something was taken out of sight.
class Grace {
 public:
  void note(std::uint64_t activity) { then_.push_back(activity); }
  /// True once queue `q`, whose activity now is `now`, was seen idle or has been idle since.
  bool over(std::size_t q, std::uint64_t now) const noexcept {
    return q >= then_.size() || (then_[q] & 1) == 0 || now != then_[q];
  }

 private:
  std::vector<std::uint64_t> then_;
};

}  // namespace espalier
