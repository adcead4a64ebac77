// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "dispatch/dispatch.hpp"

namespace espalier {

const char* name(Refusal refusal) noexcept {
  static constexpr const char* kNames[kRefusalCount] = {
      "none",   "capability", "installing", "size",   "segments",
      "health", "queue",      "room",       "failed", "verification"};
  return kNames[static_cast<unsigned>(refusal)];
}

Dispatch::Dispatch(std::vector<std::unique_ptr<driver::Device>>& devices,
                   std::span<Service> services, const HealthConfig& config, unsigned queue)
    : devices_(devices), services_(services), count_(static_cast<unsigned>(devices.size())) {
  for (unsigned d = 0; d < count_; ++d) {
    const driver::Capabilities& can = devices[d]->capabilities();
    states_[d].has_queue = queue < can.queues;
    states_[d].room = states_[d].has_queue ? can.queue_depth : 0;
    states_[d].max_octets = can.max_packet;
    states_[d].max_segments = can.max_segments;
    states_[d].doubted =
        d + 1 < count_ && can.verifiable && devices.back()->capabilities().verifiable;
    states_[d].age_length = patience(can, config) / 2;
  }
  refresh();
}

void Dispatch::refresh() noexcept {
  for (unsigned d = 0; d < count_; ++d)
    look(states_[d], services_[d].trouble.load(std::memory_order_acquire), devices_[d]->health());
}

void Dispatch::look(State& state, Trouble trouble, driver::Health health) noexcept {
  const bool healthy = trouble == Trouble::none && health <= driver::Health::suspect;
  state.open_octets = healthy ? state.max_octets : 0;
  state.condemned = trouble == Trouble::mismatch || trouble == Trouble::wrong_answer;
  state.trusted = !state.doubted && !state.condemned;
}

/// Time that jumps ahead, because nobody called tick(), ends one age and not several.
void Dispatch::age(Time now) noexcept {
  for (unsigned d = 0; d < count_; ++d) {
    State& state = states_[d];
    if (now - state.age_began < state.age_length) continue;
    state.age_began = now;
    state.age = (state.age + 1) % kAges;
    const std::uint32_t overdue = state.of_age[(state.age + 1) % kAges];
    if (overdue != 0) services_[d].accuse(Trouble::timed_out);
  }
}

bool Dispatch::reference_takes(const Sa& sa, const Demand& demand) const noexcept {
  const Refusal why = refusal(states_[count_ - 1], sa, demand, count_ - 1);
  return why == Refusal::none || why == Refusal::room || why == Refusal::installing;
}

Dispatch::Choice Dispatch::scan(const Sa& sa, const Demand& demand, unsigned first) noexcept {
  Choice choice;
  bool later = false;
  for (unsigned d = first; d < count_; ++d) {
    State& state = states_[d];
    const Refusal why = refusal(state, sa, demand, d);
    if (why == Refusal::none) return give(d, choice.refusal);
    add(state.refusals[static_cast<unsigned>(why)]);
    if (choice.refusal == Refusal::none) choice.refusal = why;
    later = later || why == Refusal::installing || why == Refusal::room;
  }
  choice.device = later ? kWait : kNone;
  return choice;
}

DeviceCounters Dispatch::counters(unsigned device) const noexcept {
  const State& state = states_[device];
  DeviceCounters out;
  out.taken = state.taken.load(std::memory_order_relaxed);
  out.failed = state.failed.load(std::memory_order_relaxed);
  for (unsigned r = 0; r < kRefusalCount; ++r)
    out.refusals[r] = state.refusals[r].load(std::memory_order_relaxed);
  out.verified = state.verified.load(std::memory_order_relaxed);
  out.rechecked = state.rechecked.load(std::memory_order_relaxed);
  out.mismatches = state.mismatches.load(std::memory_order_relaxed);
  return out;
}

}  // namespace espalier
