// SPDX-License-Identifier: BSD-2-Clause-Patent
// What a queue has found in the SAD lately: inbound SAs by SPI and unicast destination.
#pragma once

#include <array>
#include <cstdint>

#include "policy/flow.hpp"
#include "policy/sa_table.hpp"

namespace espalier {

/// Threads: the queue's.
class SaCache {
 public:
  struct Key {
    std::uint32_t spi = 0;
    std::uint8_t protocol = 0;
    Family family = Family::ipv4;
    WideAddress destination{};
    /// By words: what was just written by words is compared without a wait.
    bool operator==(const Key& other) const {
      return ((spi ^ other.spi) | static_cast<std::uint32_t>(protocol ^ other.protocol) |
              static_cast<std::uint32_t>(family != other.family)) == 0 &&
             ((destination[0] ^ other.destination[0]) | (destination[1] ^ other.destination[1])) ==
                 0;
    }
  };
  /// The SA last stored for the key under this version of the SAD; none if there is none.
  SaHandle find(const Key& key, std::uint32_t version) const noexcept {
    const Entry& e = entries_[slot(key)];
    return e.version == version && e.key == key ? e.sa : SaHandle::none;
  }
  void store(const Key& key, std::uint32_t version, SaHandle sa) noexcept {
    entries_[slot(key)] = {key, version, sa};
  }

 private:
  static constexpr std::size_t kEntries = 1024;
  struct Entry {
    Key key;
    std::uint32_t version = 0;
    SaHandle sa = SaHandle::none;
  };
  static std::size_t slot(const Key& key) { return (key.spi * 0x9e3779b1u) >> 22; }

  std::array<Entry, kEntries> entries_;
};

}  // namespace espalier
