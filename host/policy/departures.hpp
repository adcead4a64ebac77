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
      : mask_(std::bit_ceil(capacity) - 1), jobs_(mask_ + 1), segments_(2 * (mask_ + 1)) {}

  std::uint32_t size() const noexcept { return tail_ - head_; }
  bool empty() const noexcept { return head_ == tail_; }

  /// A packet in one segment.
  void add(SaHandle sa, std::uint64_t cookie, Segment source, Segment destination,
           std::uint32_t tfc_length) noexcept {
    Job& job = next(sa, cookie, destination, tfc_length);
    Segment* const segment = source_of(job);
    *segment = source;
    job.source = {segment, 1};
    job.dummy = false;
  }
  void add_dummy(SaHandle sa, std::uint64_t cookie, Segment destination,
                 std::uint32_t tfc_length) noexcept {
    Job& job = next(sa, cookie, destination, tfc_length);
    job.source = {};
    job.dummy = true;
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
  Job& next(SaHandle sa, std::uint64_t cookie, Segment destination,
            std::uint32_t tfc_length) noexcept {
    Job& job = jobs_[tail_++ & mask_];
    Segment* const segment = source_of(job) + 1;
    *segment = destination;
    job.sa = sa;
    job.cookie = cookie;
    job.destination = {segment, 1};
    job.tfc_length = static_cast<std::uint16_t>(tfc_length);
    return job;
  }
  Segment* source_of(const Job& job) noexcept { return &segments_[2 * (&job - jobs_.data())]; }

  std::uint32_t mask_, head_ = 0, tail_ = 0;
  std::vector<Job> jobs_;
  std::vector<Segment> segments_;  // two a job: its source, its destination
};

}  // namespace espalier
