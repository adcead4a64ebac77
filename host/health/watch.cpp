// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "health/watch.hpp"

#include <algorithm>

namespace espalier {
namespace {

constexpr Time kSoon = std::chrono::milliseconds(1);
constexpr std::uint64_t kMillion = 1'000'000;

Trouble trouble_of(Exam::Outcome outcome) {
  switch (outcome) {
    case Exam::Outcome::wrong:
      return Trouble::wrong_answer;
    case Exam::Outcome::refused:
      return Trouble::refused;
    case Exam::Outcome::overdue:
      return Trouble::timed_out;
    default:
      return Trouble::reported;
  }
}

bool out(const driver::Device& device) {
  return device.health() > driver::Health::suspect;
}

}  // namespace

const char* name(Trouble trouble) noexcept {
  static constexpr const char* kNames[kTroubleCount] = {
      "none", "untested", "reported", "timed_out", "errors", "refused", "wrong_answer", "mismatch"};
  return kNames[static_cast<unsigned>(trouble)];
}

Watch::Watch(driver::Device& device, Service& service, const HealthConfig& config)
    : device_(device),
      service_(service),
      config_(config),
      patience_(patience(device.capabilities(), config)),
      exam_(device, service.errand, patience_) {
  exam_.begin(Time{0});
}

Watch::Action Watch::tick(Time now, const Traffic& traffic, bool unused) noexcept {
  last_ = traffic;
  switch (stage_) {
    case Stage::serving:
      return serve(now, traffic);
    case Stage::leaving:
      if (!unused || !device_.reset()) return Action::none;
      service_.quiet.fetch_add(1, std::memory_order_release);
      quiet_since_ = now;
      stage_ = Stage::waiting;
      [[fallthrough]];
    case Stage::waiting:
      return wait(now);
    case Stage::testing:
      return test(now);
  }
  return Action::none;
}

Watch::Action Watch::serve(Time now, const Traffic& traffic) noexcept {
  if (out(device_)) service_.accuse(Trouble::reported);
  judge(now, traffic);
  if (!exam_.under_way() && now >= next_test_) exam_.begin(now);
  if (exam_.under_way()) {
    const Exam::Outcome outcome = exam_.step(now);
    if (!tested(outcome) && outcome != Exam::Outcome::running) service_.accuse(trouble_of(outcome));
    if (outcome == Exam::Outcome::passed) next_test_ = now + config_.test_interval;
  }
  return service_.trouble.load(std::memory_order_acquire) == Trouble::none ? Action::none
                                                                           : leave(now);
}

/// Error rates.
void Watch::judge(Time now, const Traffic& traffic) noexcept {
  const std::uint64_t failed = traffic.failed - window_.failed;
  const std::uint64_t taken = std::max(traffic.taken - window_.taken, failed);
  const auto reaches = [&](std::uint32_t per_million) {
    return failed != 0 && failed * kMillion >= taken * per_million;
  };
  if (reaches(config_.quarantine_per_million) && failed >= config_.quarantine_least)
    service_.accuse(Trouble::errors);
  if (now - window_began_ < config_.error_window) return;
  suspect_ = reaches(config_.suspect_per_million);
  window_began_ = now;
  window_ = traffic;
}

Watch::Action Watch::leave(Time now) noexcept {
  exam_.abandon();
  state_.last_trouble = service_.trouble.load(std::memory_order_acquire);
  ++state_.quarantines;
  back_off_ = !returned_ || now - back_since_ > config_.probation
                  ? Time{0}
                  : std::clamp(2 * back_off_, config_.back_off, config_.back_off_limit);
  comeback_ = now + back_off_;
  stage_ = Stage::leaving;
  return Action::empty;
}

Watch::Action Watch::wait(Time now) noexcept {
  if (out(device_)) {
    if (now - quiet_since_ > patience_) stage_ = Stage::leaving;  // it does not get ready
    return Action::none;
  }
  if (now < comeback_) return Action::none;
  exam_.begin(now);
  stage_ = Stage::testing;
  return test(now);
}

Watch::Action Watch::test(Time now) noexcept {
  const Exam::Outcome outcome = exam_.step(now);
  if (outcome == Exam::Outcome::running && !out(device_)) return Action::none;
  if (!tested(outcome)) {
    const Trouble before = service_.trouble.load(std::memory_order_relaxed);
    if (before == Trouble::untested)
      service_.trouble.store(trouble_of(outcome), std::memory_order_release);
    returned_ = true;  // and at once in trouble again
    back_since_ = now;
    return leave(now);
  }
  returned_ = state_.quarantines != 0;
  back_since_ = now;
  next_test_ = now + config_.test_interval;
  window_began_ = now;
  window_ = last_;
  suspect_ = false;
  stage_ = Stage::serving;
  service_.trouble.store(Trouble::none, std::memory_order_release);
  return Action::refill;
}

/// Counts a finished round; true if it was passed.
bool Watch::tested(Exam::Outcome outcome) noexcept {
  state_.tests_passed += outcome == Exam::Outcome::passed;
  state_.tests_failed += outcome > Exam::Outcome::passed;
  return outcome == Exam::Outcome::passed;
}

Time Watch::next(Time now) const noexcept {
  if (stage_ == Stage::serving && !exam_.under_way())
    return device_.capabilities().verifiable ? next_test_ : Time::max();
  if (stage_ == Stage::waiting && now < comeback_) return comeback_;
  return now + kSoon;
}

DeviceState Watch::state() const noexcept {
  DeviceState out = state_;
  out.trouble = service_.trouble.load(std::memory_order_acquire);
  const driver::Health own = device_.health();
  out.health = own == driver::Health::gone ? own
               : stage_ != Stage::serving || out.trouble != Trouble::none
                   ? driver::Health::quarantined
                   : std::max(own, suspect_ ? driver::Health::suspect : driver::Health::ready);
  return out;
}

}  // namespace espalier
