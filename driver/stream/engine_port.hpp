// SPDX-License-Identifier: BSD-2-Clause-Patent
// The engine's four streams, one clock at a time: what csim and the Verilated engine have in
// common.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "espalier/driver/stream.hpp"

namespace espalier::driver::stream {

inline constexpr unsigned kBeat = 64;  ///< Octets.

struct JobWord {
  std::array<std::uint8_t, kBeat> descriptor{};
  std::uint16_t ticket = 0;
};
struct BeatWord {
  std::array<std::uint8_t, kBeat> data{};
  bool last = false;
};
struct ResultWord {
  std::uint16_t ticket = 0;
  std::uint16_t status = 0;  ///< A code word, spec/status.h.
  std::uint16_t length = 0;
  std::uint8_t next_header = 0;
  std::uint8_t tos = 0;
};

/// What happens at the ports in one clock.  The outputs are always taken.
struct Clock {
  const JobWord* job = nullptr;  ///< Offered; null: nothing.
  const BeatWord* in = nullptr;
  bool job_taken = false;
  bool in_taken = false;
  bool result_given = false;
  bool out_given = false;
  ResultWord result;
  BeatWord out;
};

class EnginePort {
 public:
  virtual ~EnginePort() = default;
  /// Advances by one clock: reads job and in, sets the rest.
  virtual void step(Clock& clock) noexcept = 0;
  /// Everything in flight is gone, all slots will be wiped before a job is taken.
  virtual void reset() noexcept = 0;
};

/// What the engine of this build takes; the same for csim and RTL, which are one source.
struct EngineFacts {
  unsigned slots;
  std::uint32_t max_packet;  ///< Octets, source and result.
};

/// A device around `engine`; null if an option is out of range or memory is short.
std::unique_ptr<Device> make_stream_device(std::string_view name,
                                           std::unique_ptr<EnginePort> engine,
                                           const EngineFacts& facts, const StreamOptions& options);

}  // namespace espalier::driver::stream
