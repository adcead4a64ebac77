// SPDX-License-Identifier: BSD-2-Clause-Patent
// A device a test directs: it copies the source to the destination, remembers the jobs it saw, and
// fails, delays, repeats or reorders as told.
#pragma once

#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "espalier/driver/device.hpp"

namespace espalier::test {

class FakeDevice final : public driver::Device {
 public:
  struct Seen {
    driver::Job job;
    std::vector<std::uint8_t> source;
  };

  FakeDevice(std::string_view name, unsigned priority, unsigned depth = 64, unsigned queues = 1)
      : completions_(queues) {
    can.name = name;
    can.priority = priority;
    can.queues = queues;
    can.queue_depth = depth;
    can.slots = 1024;
    can.max_packet = driver::kMaxPacket;
    can.max_segments = driver::kMaxSegments;
    can.verifiable = false;
  }

  // What the test sets.
  driver::Capabilities can;
  std::function<driver::Status(const driver::Job&)> verdict = [](const driver::Job&) {
    return driver::Status::ok;
  };
  bool hold = false;       ///< poll() gives nothing.
  bool backwards = false;  ///< poll() gives the newest first.
  bool repeat = false;     ///< Each completion comes twice.
  bool slow_install = false;
  bool quiet_on_reset = true;
  driver::Health state = driver::Health::ready;
  // What the test looks at.
  std::vector<Seen> seen;
  std::map<unsigned, unsigned> slots;  ///< Slot to generation.
  driver::SaParameters newest;         ///< Of the last install().
  unsigned resets = 0;

  const driver::Capabilities& capabilities() const noexcept override { return can; }
  bool supports(const driver::SaParameters&) const noexcept override { return true; }
  driver::Status install(driver::Slot slot, driver::Generation generation,
                         const driver::SaParameters& sa) noexcept override {
    newest = sa;
    slots[static_cast<unsigned>(slot)] = static_cast<unsigned>(generation);
    return driver::Status::ok;
  }
  void remove(driver::Slot slot) noexcept override { slots.erase(static_cast<unsigned>(slot)); }
  driver::SlotState slot_state(driver::Slot slot) const noexcept override {
    if (slots.count(static_cast<unsigned>(slot)) == 0) return driver::SlotState::empty;
    return slow_install ? driver::SlotState::installing : driver::SlotState::ready;
  }
  std::size_t submit(driver::QueueId queue, driver::Jobs jobs) noexcept override {
    auto& ring = completions_[static_cast<unsigned>(queue)];
    std::size_t n = 0;
    for (; n < jobs.size() && ring.size() < can.queue_depth; ++n) ring.push_back(run(*jobs[n]));
    return n;
  }
  std::size_t poll(driver::QueueId queue, std::span<driver::Completion> out) noexcept override {
    auto& ring = completions_[static_cast<unsigned>(queue)];
    std::size_t n = 0;
    while (!hold && !ring.empty() && n + repeat < out.size()) {
      const driver::Completion c = backwards ? ring.back() : ring.front();
      backwards ? ring.pop_back() : ring.pop_front();
      out[n++] = c;
      if (repeat) out[n++] = c;
    }
    return n;
  }
  driver::Time tick(driver::Time) noexcept override { return driver::Time::max(); }
  driver::Health health() const noexcept override { return state; }
  bool reset() noexcept override {
    ++resets;
    if (!quiet_on_reset) return false;
    slots.clear();
    state = driver::Health::ready;
    return true;
  }
  std::span<std::uint8_t> allocate(std::size_t bytes) noexcept override {
    pool_.push_back(std::make_unique<std::uint8_t[]>(bytes));
    return {pool_.back().get(), bytes};
  }
  void release(std::span<std::uint8_t>) noexcept override {}

 private:
  driver::Completion run(const driver::Job& job) {
    Seen s{job, {}};
    for (const driver::Segment& segment : job.source)
      s.source.insert(s.source.end(), segment.data, segment.data + segment.length);
    driver::Completion c;
    c.cookie = job.cookie;
    c.status = verdict(job);
    if (slots.count(static_cast<unsigned>(job.slot)) == 0 ||
        slots[static_cast<unsigned>(job.slot)] != static_cast<unsigned>(job.generation))
      c.status = driver::Status::sa_gone;
    if (c.status == driver::Status::ok) {
      std::memcpy(job.destination[0].data, s.source.data(), s.source.size());
      c.length = static_cast<std::uint32_t>(s.source.size());
    }
    seen.push_back(std::move(s));
    return c;
  }

  std::vector<std::deque<driver::Completion>> completions_;
  std::vector<std::unique_ptr<std::uint8_t[]>> pool_;
};

}  // namespace espalier::test
