// SPDX-License-Identifier: BSD-2-Clause-Patent
// Jobs that wait for the context, in order, in the form in which it takes them.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "espalier/context.hpp"

namespace espalier {

/// A ring that begins anew whenever it is empty, so that a queue which keeps up touches little
/// memory.
/// Threads: the queue's.
class Departures {
 public:
  /// Its owner never adds more than `capacity`.  Allocates.
  explicit Departures(std::uint32_t capacity)
      : mask_(std::bit_ceil(capacity) - 1), jobs_(mask_ + 1), segments_(mask_ + 1) {
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      jobs_[i].source = {&segments_[i].source, 1};
      jobs_[i].destination = {&segments_[i].destination, 1};
    }
  }

  std::uint32_t size() const noexcept { return tail_ - head_; }
  bool empty() const noexcept { return head_ == tail_; }

  /// A packet in one segment.
  void add(SaHandle sa, std::uint64_t cookie, Segment source, Segment destination,
           std::uint32_t tfc_length) noexcept {
    const std::uint32_t at = next(sa, cookie, destination, tfc_length);
    segments_[at].source = source;
    if (jobs_[at].dummy) [[unlikely]] {
      jobs_[at].source = {&segments_[at].source, 1};
      jobs_[at].dummy = false;
    }
  }
  void add_dummy(SaHandle sa, std::uint64_t cookie, Segment destination,
                 std::uint32_t tfc_length) noexcept {
    const std::uint32_t at = next(sa, cookie, destination, tfc_length);
    jobs_[at].source = {};
    jobs_[at].dummy = true;
  }
  /// Offers all of them.  False if not all were taken.
  bool depart(Context& context, QueueId queue) noexcept {
    while (!empty()) {
      const std::uint32_t at = head_ & mask_, n = std::min(size(), mask_ + 1 - at);
      const std::size_t taken = context.submit(queue, {&jobs_[at], n});
      head_ += static_cast<std::uint32_t>(taken);
      if (taken < n) return false;
    }
    head_ = tail_ = 0;
    return true;
  }

 private:
  struct Segments {
    Segment source, destination;
  };

  std::uint32_t next(SaHandle sa, std::uint64_t cookie, Segment destination,
                     std::uint32_t tfc_length) noexcept {
    const std::uint32_t at = tail_++ & mask_;
    segments_[at].destination = destination;
    Job& job = jobs_[at];
    job.sa = sa;
    job.cookie = cookie;
    job.tfc_length = static_cast<std::uint16_t>(tfc_length);
    return at;
  }

  std::uint32_t mask_, head_ = 0, tail_ = 0;
  std::vector<Job> jobs_;
  std::vector<Segments> segments_;  // of each job, which points at them for good
};

}  // namespace espalier
