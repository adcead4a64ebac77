// SPDX-License-Identifier: BSD-2-Clause-Patent
// What the queues and the control thread tell each other about one device.
#pragma once

#include <atomic>
#include <cstdint>

#include "espalier/health.hpp"
#include "health/errand.hpp"

namespace espalier {

inline constexpr unsigned kMaxDevices = 8;

struct Service {
  /// Other than none: no queue gives the device a job.  Set by whoever notices first, cleared by
  /// the control thread alone.
  std::atomic<Trouble> trouble{Trouble::untested};
  /// Times the device was reset and proven quiet.
  std::atomic<std::uint32_t> quiet{0};
  /// Until then (tick() time) jobs wait for the device to become quiet.
  std::atomic<Time::rep> hold_until{0};
  /// Memory lent out by the device's allocate(), as an address range; see Queue::may_be_written().
  std::atomic<std::uintptr_t> pool_first{0};
  std::atomic<std::uintptr_t> pool_end{0};
  Errand errand;

  void accuse(Trouble why) noexcept {
    Trouble none = Trouble::none;
    trouble.compare_exchange_strong(none, why, std::memory_order_acq_rel);
  }
};

/// How long a device may take to answer.
inline Time patience(const driver::Capabilities& can, const HealthConfig& config) noexcept {
  return config.job_timeout * (can.simulated ? kSimulatedPatience : 1u);
}

}  // namespace espalier
