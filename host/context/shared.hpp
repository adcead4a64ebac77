// SPDX-License-Identifier: BSD-2-Clause-Patent
// What the queues of a context and its control thread share.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "dispatch/dispatch.hpp"
#include "espalier/context.hpp"
#include "events/event_ring.hpp"
#include "health/service.hpp"
#include "memory/large_array.hpp"
#include "sa/sa.hpp"
#include "sa/spi_index.hpp"

namespace espalier {

struct Shared {
  Shared(const ContextConfig& c, std::vector<std::unique_ptr<driver::Device>> d)
      : config(c),
        devices(std::move(d)),
        sas(c.max_sas),
        index(sas.data(), c.max_sas),
        events(c.events) {}

  /// The live SA a handle names; null if it is none of ours or no longer.
  Sa* live(SaHandle handle) const noexcept {
    const std::uint32_t i = index_of(handle);
    if (i >= config.max_sas) return nullptr;
    Sa& sa = sas[i];
    const std::uint32_t generation = sa.generation.load(std::memory_order_acquire);
    return generation != 0 && generation == generation_of(handle) ? &sa : nullptr;
  }
  /// An auditable drop, unless this second's share is used up.
  void audit(Drop drop, const Sa& sa, SaHandle handle, std::uint64_t number) noexcept {
    if (audit_left.fetch_sub(1, std::memory_order_relaxed) <= 0) {
      audit_lost.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    Event event;
    event.kind = EventKind::audit;
    event.drop = drop;
    event.sa = handle;
    event.spi = sa.spi;
    event.value = number;
    events.push(event);
  }

  ContextConfig config;
  std::vector<std::unique_ptr<driver::Device>> devices;  ///< By falling priority.
  LargeArray<Sa> sas;
  SpiIndex index;
  EventRing events;
  std::atomic<Time::rep> now{0};  ///< Of the last tick().
  std::atomic<std::int64_t> audit_left{0};
  std::atomic<std::uint64_t> audit_lost{0};
  std::atomic<std::int64_t> rechecks_left{0};
  std::array<Service, kMaxDevices> service;  ///< By device.
};

}  // namespace espalier
