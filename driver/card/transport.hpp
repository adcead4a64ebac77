// SPDX-License-Identifier: BSD-2-Clause-Patent
// How a card is reached: its registers, and memory that both sides see.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "espalier/driver/device.hpp"

namespace espalier::driver {

/// Threads: write() may be called by any queue's thread at any time; read() by the control thread.
/// Nothing here throws.
class Transport {
 public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  /// Registers, 32 bits, in the host's byte order; the transport knows the bus.  A card that is
  /// gone reads as all ones.
  virtual std::uint32_t read(std::uint32_t offset) noexcept = 0;
  virtual void write(std::uint32_t offset, std::uint32_t value) noexcept = 0;

  /// Memory that the card reads and writes; its first octet has IO address io_base().
  virtual std::span<std::uint8_t> memory() noexcept = 0;
  virtual std::uint64_t io_base() const noexcept = 0;

  /// Called when the host has nothing to do but wait: a simulated card runs meanwhile.
  virtual void wait() noexcept {}
  /// The clock that time-outs are measured with: the host's, or a simulated card's own.
  virtual Time clock() noexcept {
    return std::chrono::duration_cast<Time>(std::chrono::steady_clock::now().time_since_epoch());
  }
  /// Cycles of a simulated card, else 0.
  virtual std::uint64_t cycles() noexcept { return 0; }
  /// Device::link_cycles().
  virtual LinkCycles link_cycles(std::uint32_t /*source*/, std::uint32_t /*result*/) noexcept {
    return {};
  }
};

}  // namespace espalier::driver
