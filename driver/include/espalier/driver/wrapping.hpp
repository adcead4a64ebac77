// SPDX-License-Identifier: BSD-2-Clause-Patent
// A device around another, for those that change or watch a part of what it does.
#pragma once

#include <memory>
#include <utility>

#include "espalier/driver/device.hpp"

namespace espalier::driver {

/// Passes every call on; override what is to differ.
class WrappingDevice : public Device {
 public:
  /// `inner` is not null.
  explicit WrappingDevice(std::unique_ptr<Device> inner) : inner_(std::move(inner)) {}

  const Capabilities& capabilities() const noexcept override { return inner_->capabilities(); }
  bool supports(const SaParameters& sa) const noexcept override { return inner_->supports(sa); }
  Status install(Slot slot, Generation generation, const SaParameters& sa) noexcept override {
    return inner_->install(slot, generation, sa);
  }
  void remove(Slot slot) noexcept override { inner_->remove(slot); }
  SlotState slot_state(Slot slot) const noexcept override { return inner_->slot_state(slot); }
  std::size_t submit(QueueId queue, Jobs jobs) noexcept override {
    return inner_->submit(queue, jobs);
  }
  std::size_t poll(QueueId queue, std::span<Completion> completions) noexcept override {
    return inner_->poll(queue, completions);
  }
  Time tick(Time now) noexcept override { return inner_->tick(now); }
  Health health() const noexcept override { return inner_->health(); }
  bool reset() noexcept override { return inner_->reset(); }
  std::span<std::uint8_t> allocate(std::size_t bytes) noexcept override {
    return inner_->allocate(bytes);
  }
  void release(std::span<std::uint8_t> memory) noexcept override { inner_->release(memory); }
  std::uint64_t staged_jobs() const noexcept override { return inner_->staged_jobs(); }
  SimulatedCost simulated_cost() const noexcept override { return inner_->simulated_cost(); }
  CycleCounters cycle_counters() const noexcept override { return inner_->cycle_counters(); }
  LinkCycles link_cycles(std::uint32_t source, std::uint32_t result) const noexcept override {
    return inner_->link_cycles(source, result);
  }
  void restart_latency() noexcept override { inner_->restart_latency(); }

 protected:
  Device& inner() noexcept { return *inner_; }
  const Device& inner() const noexcept { return *inner_; }

 private:
  std::unique_ptr<Device> inner_;
};

}  // namespace espalier::driver
