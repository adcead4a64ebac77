// SPDX-License-Identifier: BSD-2-Clause-Patent
// L1: when a device is trusted with packets, and how its answers are checked (docs/fallback.md).
#pragma once

#include <cstdint>

#include "espalier/driver/device.hpp"

namespace espalier {

using driver::Time;

/// Why a device is out of service.
enum class Trouble : std::uint8_t {
  none,          ///< It is in service.
  untested,      ///< It was opened and has not given its known answers yet.
  reported,      ///< It says itself that it is quarantined or gone.
  timed_out,     ///< A job, or a known-answer test, had no answer in time.
  errors,        ///< Too many of its jobs failed.
  refused,       ///< It would have dropped a packet, or a test's, that is good.
  wrong_answer,  ///< What it calls ok in a known-answer test is wrong.
  mismatch,      ///< Software came to another result for a packet that it calls ok.
};
inline constexpr unsigned kTroubleCount = 8;
const char* name(Trouble trouble) noexcept;

/// Thresholds.  "Per million" are whole numbers from 0 (never) to 1,000,000 (always).
/// Time is that of tick(); simulated devices, whose time is not the caller's, get
/// kSimulatedPatience times as long.
struct HealthConfig {
  /// A job or test without an answer for so long takes the device out of service; noticed after 1
  /// to 1.5 times as long.  At least 1 ms.
  Time job_timeout = std::chrono::seconds(1);

  /// Failed jobs (those run again elsewhere) are counted over windows of this length.
  Time error_window = std::chrono::seconds(1);
  std::uint32_t suspect_per_million = 1'000;       ///< From here on the device is `suspect`,
  std::uint32_t quarantine_per_million = 100'000;  ///< and from here on out of service,
  std::uint32_t quarantine_least = 16;             ///< once so many jobs of a window have failed.

  Time test_interval = std::chrono::seconds(10);  ///< Between known-answer tests in service.

  /// A device that is in trouble again within `probation` of its last return waits `back_off` until
  /// the next, twice as long each time, at most `back_off_limit`.
  Time probation = std::chrono::seconds(60);
  Time back_off = std::chrono::milliseconds(100);
  Time back_off_limit = std::chrono::seconds(60);

  /// A job whose destination a device could still write to, because it never became quiet, ends as
  /// dropped (Drop::device, Status::timed_out: take the destination for lost) after so long.
  Time hold_back = std::chrono::seconds(30);

  /// Packets that are done twice, by the device and by the context's last device (software); if
  /// they differ, software's result is delivered and the device is out of service.
  std::uint32_t shadow_per_million = 1'000;
  /// Such packets under way per queue, 1 to 255; more go to the last device at once.
  std::uint32_t shadow_slots = 16;
  /// Drop verdicts (icv_mismatch and the like) of a device that software looks at once more before
  /// they are believed; beyond that they are, so that forged packets cost no more than this.  Half
  /// of it is kept for sampled packets.
  std::uint32_t rechecks_per_second = 1'000;
  /// For tests: the same seed samples the same packets.  0: from the operating system's generator.
  std::uint64_t shadow_seed = 0;
};
inline constexpr unsigned kSimulatedPatience = 60;

/// What the control thread knows of a device.
struct DeviceState {
  driver::Health health = driver::Health::ready;  ///< As dispatch sees it.
  Trouble trouble = Trouble::none;                ///< Why it is out of service now.
  Trouble last_trouble = Trouble::none;           ///< Why it was, the last time.
  std::uint64_t quarantines = 0;                  ///< Times it was taken out of service.
  std::uint64_t tests_passed = 0;                 ///< Known-answer tests, whole rounds.
  std::uint64_t tests_failed = 0;
};

}  // namespace espalier
