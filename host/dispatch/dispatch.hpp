// SPDX-License-Identifier: BSD-2-Clause-Patent
// Which device takes a packet, and why not a better one.  All of that decision is here (D4).
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "espalier/context.hpp"
#include "espalier/driver/device.hpp"
#include "health/service.hpp"
#include "sa/sa.hpp"

namespace espalier {

/// What a packet asks of a device.
struct Demand {
  std::uint32_t octets = 0;  ///< The longer of source and result.
  const driver::Job* job = nullptr;

  std::size_t segments() const noexcept {  ///< The larger of both counts.
    return std::max(job->source.size(), job->destination.size());
  }
};

/// A queue's view of the devices.
/// Threads: the queue's; counters() may be called by any.
class Dispatch {
 public:
  static constexpr std::uint8_t kNone = 0xff;  ///< No device will ever take it.
  static constexpr std::uint8_t kWait = 0xfe;  ///< One will, later: poll, then offer it again.

  struct Choice {
    std::uint8_t device = kNone;
    Refusal refusal = Refusal::none;  ///< Of the best device passed over.

    bool taken() const noexcept { return device < kWait; }
  };

  /// `devices`: by falling priority, software last.  `services`: theirs.
  Dispatch(std::vector<std::unique_ptr<driver::Device>>& devices, std::span<Service> services,
           const HealthConfig& config, unsigned queue);

  /// Looks at every device's health.  Once per submit() and poll(), not per packet.
  void refresh() noexcept;
  /// Accuses devices that have kept a job for longer than their patience.  In poll(), after what
  /// they have done was collected.
  void age(Time now) noexcept;

  /// The best device for a packet of `sa`; room on it is reserved.
  [[gnu::always_inline]] Choice choose(const Sa& sa, const Demand& demand) noexcept {
    State& best = states_[0];
    const bool fits =
        best.max_segments >= driver::kMaxSegments || demand.segments() <= best.max_segments;
    if (demand.octets <= best.open_octets && fits && best.in_use < best.room &&
        (sa.ready.load(std::memory_order_acquire) & 1) != 0) [[likely]]
      return give(0, Refusal::none);
    return scan(sa, demand, 0);
  }
  /// For a job that `failed` had: the best device after it.
  Choice choose_again(const Sa& sa, const Demand& demand, std::uint8_t failed) noexcept {
    return scan(sa, demand, failed + 1u);
  }
  /// Of the last device: the reference, whose word counts where devices differ.
  Choice choose_reference(const Sa& sa, const Demand& demand) noexcept {
    return scan(sa, demand, count_ - 1);
  }
  /// True if the reference could do it, now or later.
  bool reference_takes(const Sa& sa, const Demand& demand) const noexcept;
  /// Of jobs a device is given now; release() wants it back.
  std::uint8_t age_of(std::uint8_t device) const noexcept { return states_[device].age; }
  /// The job left the device: its room is free again.
  void release(std::uint8_t device, std::uint8_t age) noexcept {
    --states_[device].in_use;
    --states_[device].of_age[age];
  }
  void count_failure(std::uint8_t device) noexcept { add(states_[device].failed); }
  /// True if a device below `device` could run what it fails on.
  bool has_fallback(std::uint8_t device) const noexcept { return device + 1u < count_; }

  unsigned count() const noexcept { return count_; }
  /// True if the device's answers may be checked by the reference; false for kNone.
  bool doubted(std::uint8_t device) const noexcept {
    return device < count_ && states_[device].doubted;
  }
  /// Neither doubted nor condemned.
  bool trusted(std::uint8_t device) const noexcept { return states_[device].trusted; }
  /// The device gave a wrong answer: nothing it says is believed any more.
  bool condemned(std::uint8_t device) const noexcept { return states_[device].condemned; }
  /// Until the next refresh(), which sees what the device is accused of.
  void distrust(std::uint8_t device, bool condemned) noexcept {
    states_[device].condemned = condemned;
    states_[device].trusted = false;
    states_[device].open_octets = 0;
  }
  void count_check(std::uint8_t device, bool sampled, bool same) noexcept {
    add(sampled ? states_[device].verified : states_[device].rechecked);
    if (!same) add(states_[device].mismatches);
  }
  bool healthy(std::uint8_t device) const noexcept { return states_[device].healthy(); }
  bool has_queue(std::uint8_t device) const noexcept { return states_[device].has_queue; }
  DeviceCounters counters(unsigned device) const noexcept;

 private:
  static constexpr unsigned kAges = 4;
  struct State {
    std::uint32_t room = 0;    ///< Jobs the device holds.
    std::uint32_t in_use = 0;  ///< Jobs batched or flying.
    std::uint32_t max_octets = 0;
    std::uint32_t open_octets = 0;  ///< What it takes at present: max_octets, or 0 if it is ill.
    std::uint32_t max_segments = 0;
    bool doubted = false;
    bool condemned = false;
    bool trusted = false;
    bool has_queue = false;
    // Jobs are counted by the age they were given in, modulo kAges.  An age is half as long as the
    // device's patience, so a job that is there two whole ages later is overdue.
    std::uint8_t age = 0;
    std::uint32_t of_age[kAges] = {};
    Time age_began{0}, age_length{0};

    bool healthy() const noexcept { return open_octets != 0; }

    std::atomic<std::uint64_t> taken{0};
    std::atomic<std::uint64_t> failed{0};
    std::array<std::atomic<std::uint64_t>, kRefusalCount> refusals{};
    std::atomic<std::uint64_t> verified{0}, rechecked{0}, mismatches{0};
  };

  static void add(std::atomic<std::uint64_t>& counter) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  static void look(State& state, Trouble trouble, driver::Health health) noexcept;
  Choice scan(const Sa& sa, const Demand& demand, unsigned first) noexcept;
  Choice give(unsigned device, Refusal passed_over) noexcept {
    State& state = states_[device];
    ++state.in_use;
    ++state.of_age[state.age];
    add(state.taken);
    return {static_cast<std::uint8_t>(device), passed_over};
  }
  static Refusal refusal(const State& state, const Sa& sa, const Demand& demand,
                         unsigned device) noexcept {
    if ((sa.supported.load(std::memory_order_relaxed) >> device & 1) == 0)
      return Refusal::capability;
    if (!state.has_queue) return Refusal::queue;
    if (demand.octets > state.max_octets) return Refusal::size;
    if (demand.segments() > state.max_segments) return Refusal::segments;
    if (!state.healthy()) return Refusal::health;
    if ((sa.ready.load(std::memory_order_acquire) >> device & 1) == 0) return Refusal::installing;
    if (state.in_use >= state.room) return Refusal::room;
    return Refusal::none;
  }

  std::vector<std::unique_ptr<driver::Device>>& devices_;
  std::span<Service> services_;
  unsigned count_;
  std::array<State, kMaxDevices> states_;
};

}  // namespace espalier
