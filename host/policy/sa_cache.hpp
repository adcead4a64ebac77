// SPDX-License-Identifier: BSD-2-Clause-Patent
// What a queue has found in the SAD lately: inbound SAs by SPI and unicast destination.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

#include "espalier/address.hpp"
#include "espalier/sa.hpp"

namespace espalier {

/// Threads: the queue's.
class SaCache {
 public:
  class Key {
   public:
    Key() = default;
    /// `destination`: 4 or 16 octets.
    Key(std::uint32_t spi, std::uint8_t protocol, Family family, const std::uint8_t* destination)
        : spi_(spi), what_(static_cast<std::uint32_t>(protocol << 8 | static_cast<int>(family))) {
      if (family == Family::ipv4)
        std::memcpy(destination_, destination, 4);
      else
        std::memcpy(destination_, destination, 16);
    }
    bool operator==(const Key& other) const {
      return ((spi_ ^ other.spi_) | (what_ ^ other.what_)) == 0 &&
             ((destination_[0] ^ other.destination_[0]) |
              (destination_[1] ^ other.destination_[1])) == 0;
    }
    std::uint32_t spi() const { return spi_; }

   private:
    std::uint32_t spi_ = 0, what_ = 0;
    std::uint64_t destination_[2] = {};
  };

  /// Room for twice as many SAs as there can be, within reason.  Allocates.
  explicit SaCache(std::uint32_t max_sas)
      : shift_(32u - static_cast<unsigned>(
                         std::bit_width(std::clamp(max_sas, kLeastEntries, kMostEntries)))),
        entries_(std::size_t{1} << (32 - shift_)) {}

  /// The SA last stored for the key under this version of the SAD; none if there is none.
  SaHandle find(const Key& key, std::uint32_t version) const noexcept {
    const Entry& e = entries_[slot(key.spi())];
    return e.version == version && e.key == key ? e.sa : SaHandle::none;
  }
  void store(const Key& key, std::uint32_t version, SaHandle sa) noexcept {
    entries_[slot(key.spi())] = {key, sa, version};
  }
  /// An SA with this SPI will be asked for soon.
  void expect(std::uint32_t spi) const noexcept { __builtin_prefetch(&entries_[slot(spi)]); }

 private:
  static constexpr std::uint32_t kLeastEntries = 64, kMostEntries = 65535;
  struct alignas(64) Entry {
    Key key;
    SaHandle sa = SaHandle::none;
    std::uint32_t version = 0;
  };
  std::size_t slot(std::uint32_t spi) const noexcept { return (spi * 0x9e3779b1u) >> shift_; }

  unsigned shift_;
  std::vector<Entry> entries_;
};

}  // namespace espalier
