// SPDX-License-Identifier: BSD-2-Clause-Patent
// What a queue has found in the SAD lately: inbound SAs by SPI, addresses and ports.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "espalier/sa.hpp"
#include "policy/flow.hpp"

namespace espalier {

/// Threads: the queue's.
class SaCache {
 public:
  /// Room for twice as many SAs as there can be, within reason.  Allocates.
  explicit SaCache(std::uint32_t max_sas)
      : shift_(32u - static_cast<unsigned>(
                         std::bit_width(std::clamp(max_sas, kLeastEntries, kMostEntries)))),
        entries_(std::size_t{1} << (32 - shift_)) {}

  /// The SA last stored for an SPI in packets of this flow, under this version of the SAD; none if
  /// there is none.
  SaHandle find(std::uint32_t spi, const Flow& outer, std::uint32_t version) const noexcept {
    const Entry& e = entries_[slot(spi)];
    return e.version == version && e.spi == spi && e.outer == outer ? e.sa : SaHandle::none;
  }
  void store(std::uint32_t spi, const Flow& outer, std::uint32_t version, SaHandle sa) noexcept {
    entries_[slot(spi)] = {outer, sa, spi, version};
  }
  /// An SA with this SPI will be asked for soon.
  void expect(std::uint32_t spi) const noexcept { __builtin_prefetch(&entries_[slot(spi)]); }

 private:
  static constexpr std::uint32_t kLeastEntries = 64, kMostEntries = 65535;
  struct alignas(64) Entry {
    Flow outer;
    SaHandle sa = SaHandle::none;
    std::uint32_t spi = 0, version = 0;
  };
  std::size_t slot(std::uint32_t spi) const noexcept { return (spi * 0x9e3779b1u) >> shift_; }

  unsigned shift_;
  std::vector<Entry> entries_;
};

}  // namespace espalier
