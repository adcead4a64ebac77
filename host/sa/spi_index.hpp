// SPDX-License-Identifier: BSD-2-Clause-Patent
// Finds the inbound SA of a packet by SPI, or by SPI and addresses (RFC 4301 4.1).
//
// Hash chains through the SAs themselves (Sa::next).  The control thread links and unlinks; queues
// read without a lock: an unlinked SA keeps its `next` until no queue can be reading it any more.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "sa/sa.hpp"

namespace espalier {

class SpiIndex {
 public:
  SpiIndex(Sa* table, std::uint32_t capacity);

  /// Puts an SA, its fields written, at the front of its chain.
  void link(std::uint32_t index) noexcept;
  void unlink(std::uint32_t index) noexcept;
  /// True if an SA with the same SPI, protocol and destination is linked.
  bool clashes(const Sa& sa) const noexcept;

  /// The SA whose SPI and protocol match and, where it has addresses to match, whose destination
  /// and source do: the most specific.  kNone if there is none.  `destination` and `source` are 4
  /// or 16 octets.
  std::uint32_t find(std::uint32_t spi, std::uint8_t protocol, Family family,
                     const std::uint8_t* destination, const std::uint8_t* source) const noexcept;

  static constexpr std::uint32_t kNone = 0xffffffffu;

 private:
  std::atomic<std::uint32_t>& head(std::uint32_t spi) const noexcept {
    return heads_[(spi * 0x9e3779b1u) >> shift_];
  }

  Sa* table_;
  unsigned shift_;
  std::unique_ptr<std::atomic<std::uint32_t>[]> heads_;  // index + 1; 0 ends a chain
};

}  // namespace espalier
