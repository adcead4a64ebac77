// SPDX-License-Identifier: BSD-2-Clause-Patent
// The simulated card: the kernel as it ships (shell and engine, Verilated), host memory, a link.
//
// Everything is driven by calls: run() lets cycles pass, register accesses take the cycles they
// take. One seed decides every stall, delay and fault, so the same calls give the same run (D9).
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "card/options.hpp"

namespace espalier::sim {

/// Where the cycles went, seen from the host's side of the ports.
struct CardActivity {
  std::uint64_t cycles = 0;
  std::uint64_t data_reads = 0, data_writes = 0;  ///< Beats handed over.
  std::uint64_t ring_reads = 0, ring_writes = 0;
  std::uint64_t read_wait = 0;        ///< Cycles a read request stood without being taken.
  std::uint64_t write_wait = 0;       ///< Cycles write data stood without being taken.
  unsigned most_reads_in_flight = 0;  ///< Payload bursts.
  std::uint64_t stray_accesses = 0;   ///< Outside host memory: a mistake of the card or its user.
  std::uint64_t register_reads = 0, register_writes = 0;
};

class SimulatedCard {
 public:
  /// IO address of memory()'s first octet.
  static constexpr std::uint64_t kIoBase = 0x1'0000'0000ull;

  /// Throws std::runtime_error with one line that says how to mend it (waves not built in).
  explicit SimulatedCard(const CardOptions& options);
  SimulatedCard(const SimulatedCard&) = delete;
  SimulatedCard& operator=(const SimulatedCard&) = delete;
  ~SimulatedCard();

  const CardOptions& options() const;
  /// Host memory, all of which the card may reach; zero at first, 4 KiB aligned.
  std::span<std::uint8_t> memory();

  void run(std::uint64_t cycles);
  /// Register accesses take cycles.  A read of a card that does not answer gives all ones.
  std::uint32_t read_register(std::uint32_t offset);
  void write_register(std::uint32_t offset, std::uint32_t value);

  /// Pulls the kernel's reset, as loading a bitstream does; nothing survives in the card.
  void power_cycle();
  void set_faults(const Faults& faults);

  std::uint64_t cycles() const;
  CardActivity activity() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace espalier::sim
