// SPDX-License-Identifier: BSD-2-Clause-Patent
// A job of the control thread's, which a queue runs for it: a device's queues belong to their
// callers, so only these may submit to them.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "espalier/driver/device.hpp"

namespace espalier {

class Errand {
 public:
  /// Cookies of errands end in these 16 bits, which number no job of a queue.
  static constexpr std::uint64_t kMark = 0xffff;
  static constexpr std::uint32_t kRoom = 2048;  ///< Octets of source, and of destination.

  enum class State : std::uint8_t { idle, posted, running, answering, answered };

  // ---- control thread; the members only while idle or answered
  driver::Job job;
  std::array<std::uint8_t, kRoom> source{};
  std::array<std::uint8_t, kRoom> destination{};
  driver::Completion completion;

  void post(std::uint32_t source_length) noexcept {
    segments_[0] = {source.data(), source_length};
    segments_[1] = {destination.data(), kRoom};
    job.source = {&segments_[0], 1};
    job.destination = {&segments_[1], 1};
    cookie_ += kMark + 1;
    job.cookie = cookie_;
    state_.store(State::posted, std::memory_order_release);
  }
  State state() const noexcept { return state_.load(std::memory_order_acquire); }
  /// Takes a job back that will not be answered.  False: it is being answered right now.
  bool withdraw() noexcept {
    for (State from : {State::posted, State::running, State::answered, State::idle})
      if (state_.compare_exchange_strong(from, State::idle)) return true;
    return false;
  }

  // ---- queues
  /// Submits the job if one is posted.
  void run(driver::Device& device, driver::QueueId queue) noexcept {
    State posted = State::posted;
    if (state_.load(std::memory_order_relaxed) != posted) return;
    if (!state_.compare_exchange_strong(posted, State::running)) return;
    State running = State::running;
    if (!device.submit_one(queue, job)) state_.compare_exchange_strong(running, State::posted);
  }
  void answer(const driver::Completion& from) noexcept {
    State running = State::running;
    if (!state_.compare_exchange_strong(running, State::answering)) return;
    if (from.cookie != job.cookie) {  // of an errand that was withdrawn
      state_.store(State::running, std::memory_order_release);
      return;
    }
    completion = from;
    state_.store(State::answered, std::memory_order_release);
  }

 private:
  driver::Segment segments_[2];
  std::uint64_t cookie_ = kMark;
  std::atomic<State> state_{State::idle};
};

}  // namespace espalier
