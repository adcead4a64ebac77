// SPDX-License-Identifier: BSD-2-Clause-Patent
// Changes of a live SA (MOBIKE, NAT, lifetimes) without losing a packet.
//
// What a device holds of an SA is immutable while in use (D6), and packets under way run again from
// it.  So an SA that is to change first takes no packets, like a full queue: its callers offer them
// again.  When those under way are out, the devices are given the new form, and it goes on;
// numbers, window and counters are not touched.
#include <algorithm>

#include "context/core.hpp"

namespace espalier {
namespace {

/// True if devices hold another form of the SA by `now` than by `then`.
bool device_sees(const driver::SaParameters& then, const driver::SaParameters& now) {
  return then.outer != now.outer || then.udp_encapsulation != now.udp_encapsulation ||
         then.header_length != now.header_length || then.header_template != now.header_template;
}

}  // namespace

std::string Context::Core::update(SaHandle handle, const SaUpdate& change) {
  Sa* sa = shared.live(handle);
  if (sa == nullptr) return "no such SA: it was removed, or never added";
  if (sa->expired.load(std::memory_order_relaxed))
    return "its hard lifetime is over: add another SA";
  const auto earlier = std::find_if(updates_.begin(), updates_.end(),
                                    [handle](const Update& u) { return u.sa == handle; });
  Update update;
  update.sa = handle;
  update.config = earlier != updates_.end() ? earlier->config : sa->config;
  SaConfig& config = update.config;
  if (change.ends) {
    if (!sa->plan.seal && sa->destination.is_multicast())
      return "an inbound multicast SA is found by its addresses; add another one, then remove it";
    config.ends = *change.ends;
  }
  if (change.udp_encapsulation) config.transform.udp_encapsulation = *change.udp_encapsulation;
  if (change.soft) config.soft = *change.soft;
  if (change.hard) config.hard = *change.hard;
  config.transform.header_template = {};
  driver::set_header_template(config.ends, config.transform);
  if (std::string why = espalier::check(config); !why.empty()) return why;
  bool somewhere = false;
  for (unsigned d = 0; d < shared.devices.size(); ++d)
    somewhere = somewhere || offered(config, index_of(handle), d);
  if (!somewhere) return "no device of this context implements the SA in this form";

  if (earlier != updates_.end()) {
    earlier->config = config;
  } else {
    sa->paused.store(true, std::memory_order_seq_cst);
    for (const auto& queue : queues) update.grace.note(queue->activity());
    updates_.push_back(std::move(update));
  }
  settle_updates();
  return {};
}

void Context::Core::settle_updates() noexcept {
  std::erase_if(updates_, [this](Update& update) { return advance(update); });
}

/// One step of an update; true once it is done, or its SA is gone.
bool Context::Core::advance(Update& update) noexcept {
  Sa* sa = shared.live(update.sa);
  if (sa == nullptr) return true;
  const std::uint32_t index = index_of(update.sa);
  if (!update.drained && !unused(index, update.grace)) return false;
  update.drained = true;
  if (device_sees(sa->config.transform, update.config.transform)) {
    bool empty = true;
    sa->ready.store(0, std::memory_order_relaxed);
    sa->installing = 0;
    for (unsigned d = 0; d < shared.devices.size(); ++d) {
      if ((sa->supported.load(std::memory_order_relaxed) >> d & 1) == 0 ||
          shared.devices[d]->health() == driver::Health::gone)
        continue;
      driver::Device& device = *shared.devices[d];
      const auto slot = static_cast<driver::Slot>(index);
      if (device.slot_state(slot) != driver::SlotState::empty) device.remove(slot);
      empty = empty && device.slot_state(slot) == driver::SlotState::empty;
    }
    if (!empty) return false;
    sa->supported.store(0, std::memory_order_relaxed);
    apply(*sa, update.sa, update.config);
    install_everywhere(index);
  } else {
    apply(*sa, update.sa, update.config);
  }
  sa->paused.store(false, std::memory_order_release);
  return true;
}

/// An inbound SA stays where queues find it, so they may be reading all of it but what is written.
void Context::Core::apply(Sa& sa, SaHandle handle, const SaConfig& config) {
  const SaStatistics so_far = *statistics(handle);
  const bool soft_changed = sa.config.soft.bytes != config.soft.bytes ||
                            sa.config.soft.packets != config.soft.packets ||
                            sa.config.soft.time != config.soft.time;
  sa.config = config;
  if (sa.plan.seal) {
    sa.plan = plan_of(config, *driver::suite_of(config.transform));
    sa.outer = config.transform.outer;
    sa.head = outer_plan_of(config);
    sa.destination = Address::from(config.ends.family, config.ends.destination.data());
    sa.source = Address::from(config.ends.family, config.ends.source.data());
  } else {
    sa.plan.udp = config.transform.udp_encapsulation;
  }
  sa.meter.change(config.soft, config.hard, so_far.bytes, so_far.packets);
  if (soft_changed) sa.soft_expired.store(false, std::memory_order_relaxed);
  set_deadlines(handle, config);
}

}  // namespace espalier
