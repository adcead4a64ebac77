// SPDX-License-Identifier: BSD-2-Clause-Patent
// Jobs on their way to one device: collected, so that it gets them with one doorbell.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "espalier/driver/device.hpp"

namespace espalier {

/// Threads: the queue's.
class Batch {
 public:
  /// `capacity`: jobs it can ever hold; `full`: jobs that are worth a doorbell.
  Batch(std::uint32_t capacity, std::uint32_t full) : waiting_(capacity), full_(full) {}

  /// `job` stays where and as it is until the device has taken it.
  void add(const driver::Job& job, const std::atomic<driver::Time::rep>& clock) noexcept {
    if (count_ == 0) oldest_ = driver::Time{clock.load(std::memory_order_relaxed)};
    waiting_[count_++] = &job;
  }
  /// Takes back what the device has not been given.
  driver::Jobs withdraw() noexcept { return {waiting_.data(), std::exchange(count_, 0)}; }
  bool empty() const noexcept { return count_ == 0; }
  bool full() const noexcept { return count_ >= full_; }
  bool due(driver::Time now, driver::Time age) const noexcept {
    return count_ != 0 && (full() || now - oldest_ >= age);
  }

  /// Hands the jobs to the device; what it does not take yet stays, in order.
  void flush(driver::Device& device, driver::QueueId queue) noexcept {
    const std::size_t n = device.submit(queue, {waiting_.data(), count_});
    if (n == count_) {
      count_ = 0;
      return;
    }
    std::move(waiting_.begin() + static_cast<std::ptrdiff_t>(n),
              waiting_.begin() + static_cast<std::ptrdiff_t>(count_), waiting_.begin());
    count_ -= static_cast<std::uint32_t>(n);
  }

 private:
  std::vector<const driver::Job*> waiting_;
  std::uint32_t count_ = 0;
  std::uint32_t full_;
  driver::Time oldest_{0};
};

}  // namespace espalier
