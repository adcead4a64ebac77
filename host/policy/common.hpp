// SPDX-License-Identifier: BSD-2-Clause-Patent
// What the lanes of a boundary and its control thread share.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <vector>

#include "espalier/boundary.hpp"
#include "events/event_ring.hpp"
#include "policy/sa_table.hpp"
#include "policy/spd.hpp"

namespace espalier {

/// So many of something a second: refilled by tick(), taken by any thread.
class Allowance {
 public:
  void refill(std::uint32_t n) noexcept { left_.store(n, std::memory_order_relaxed); }
  bool take() noexcept {
    if (left_.load(std::memory_order_relaxed) > 0 &&
        left_.fetch_sub(1, std::memory_order_relaxed) > 0)
      return true;
    refused_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  std::uint64_t refused() const noexcept { return refused_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> left_{0};
  std::atomic<std::uint64_t> refused_{0};
};

/// This host's addresses, sorted.  Immutable.
struct LocalView {
  struct Item {
    Family family;
    WideAddress address;
    auto operator<=>(const Item&) const = default;
  };
  std::vector<Item> items;

  bool contains(Family family, const std::uint8_t* address) const noexcept {
    return items.empty() || find(family, address);
  }
  /// An address of ours to speak from; null if there is none of the family.
  const WideAddress* any(Family family) const noexcept {
    for (const Item& i : items)
      if (i.family == family) return &i.address;
    return nullptr;
  }

 private:
  [[gnu::noinline]] bool find(Family family, const std::uint8_t* address) const noexcept {
    return std::binary_search(items.begin(), items.end(), Item{family, wide(family, address)});
  }
};

struct Common {
  Common(const BoundaryConfig& c, Context& l1)
      : config(c),
        context(l1),
        max_sas(l1.config().max_sas),
        sas(std::make_unique<std::atomic<SaView*>[]>(l1.config().max_sas)),
        sets(std::make_unique<SaSet[]>(c.max_sets)),
        events(c.events) {}

  /// The SA a handle names; null if it is none of this boundary's, or no longer.
  SaView* sa(SaHandle handle) const noexcept {
    const auto index = static_cast<std::uint32_t>(static_cast<std::uint64_t>(handle));
    if (index >= max_sas) return nullptr;
    SaView* view = sas[index].load(std::memory_order_acquire);
    return view != nullptr && view->handle == handle ? view : nullptr;
  }
  /// The SA will be asked for soon.
  void expect(SaHandle handle) const noexcept {
    const auto index = static_cast<std::uint32_t>(static_cast<std::uint64_t>(handle));
    __builtin_prefetch(sas[index].load(std::memory_order_relaxed));
  }
  Time time() const noexcept { return Time{now.load(std::memory_order_relaxed)}; }

  BoundaryConfig config;
  Context& context;
  const std::uint32_t max_sas;
  std::atomic<const SpdView*> spd{nullptr};
  std::atomic<const LocalView*> local{nullptr};
  std::unique_ptr<std::atomic<SaView*>[]> sas;  ///< By the context's index.
  /// Changes with every inbound SA that comes or goes: what a lane has looked up by SPI under this
  /// version is good throughout a burst that began under it.  Never 0.
  std::atomic<std::uint32_t> sad_version{1};
  std::unique_ptr<SaSet[]> sets;
  std::atomic<std::uint32_t> sets_version{1};  ///< Likewise with every outbound SA.  Never 0.
  PeerIndex peers;
  Ring<BoundaryEvent> events;
  Allowance audits, icmp_made, icmp_noted;
  std::atomic<Time::rep> now{0};
  std::atomic<std::uint32_t> fragment_id{0};  ///< IPv6; begins anywhere (RFC 7739).
};

}  // namespace espalier
