// SPDX-License-Identifier: BSD-2-Clause-Patent
// Transport `direct`: in process, straight into the simulated card.
#pragma once

#include <memory>
#include <mutex>

#include "card/transport.hpp"

namespace espalier::sim {
class SimulatedCard;
}

namespace espalier::driver {

/// Threads: any; calls into the simulation exclude each other.
class DirectTransport final : public Transport {
 public:
  /// The simulated kernel clock, for time-outs.
  static constexpr double kNanosecondsPerCycle = 1000.0 / 300;
  /// Cycles that pass in one wait().
  static constexpr unsigned kWaitCycles = 32;

  explicit DirectTransport(std::shared_ptr<sim::SimulatedCard> card);
  ~DirectTransport() override;

  std::uint32_t read(std::uint32_t offset) noexcept override;
  void write(std::uint32_t offset, std::uint32_t value) noexcept override;
  std::span<std::uint8_t> memory() noexcept override;
  std::uint64_t io_base() const noexcept override;
  void wait() noexcept override;
  Time clock() noexcept override;
  std::uint64_t cycles() noexcept override;
  LinkCycles link_cycles(std::uint32_t source, std::uint32_t result) noexcept override;

 private:
  std::shared_ptr<sim::SimulatedCard> card_;
  std::mutex mutex_;
};

}  // namespace espalier::driver
