// SPDX-License-Identifier: BSD-2-Clause-Patent
// One device's way out of service and back (docs/fallback.md):
//
//   serving -> leaving -> waiting -> testing -> serving
//
// leaving: no queue believes in it any more, and it is reset until it is proven quiet; waiting: it
// gets ready, and its back-off runs out; testing: known answers.
#pragma once

#include <cstdint>

#include "health/exam.hpp"
#include "health/service.hpp"

namespace espalier {

/// Threads: the control thread.
class Watch {
 public:
  /// What the context has to do about it.
  enum class Action : std::uint8_t {
    none,
    empty,   ///< Its slots are about to be wiped: no SA is ready on it.
    refill,  ///< It is in service again: install all SAs.
  };
  /// Jobs the device was given and failed on, since the context was made.
  struct Traffic {
    std::uint64_t taken = 0;
    std::uint64_t failed = 0;
  };

  Watch(driver::Device& device, Service& service, const HealthConfig& config);

  /// `unused`: every queue has ended the calls it was in when the last Action::empty was given.
  /// Call again while it returns something to do.
  Action tick(Time now, const Traffic& traffic, bool unused) noexcept;

  bool serving() const noexcept { return stage_ == Stage::serving; }
  /// When it wants to be called next, if nothing happens.
  Time next(Time now) const noexcept;
  DeviceState state() const noexcept;

 private:
  enum class Stage : std::uint8_t { serving, leaving, waiting, testing };

  Action serve(Time now, const Traffic& traffic) noexcept;
  Action leave(Time now) noexcept;
  Action wait(Time now) noexcept;
  Action test(Time now) noexcept;
  void judge(Time now, const Traffic& traffic) noexcept;
  bool tested(Exam::Outcome outcome) noexcept;

  driver::Device& device_;
  Service& service_;
  const HealthConfig& config_;
  Time patience_;
  Exam exam_;
  Stage stage_ = Stage::testing;
  DeviceState state_;
  bool suspect_ = false;
  Time window_began_{0};
  Traffic window_;
  Traffic last_;
  Time next_test_{0}, back_since_{0}, comeback_{0}, quiet_since_{0};
  Time back_off_{0};
  bool returned_ = false;
};

}  // namespace espalier
