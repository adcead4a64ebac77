// SPDX-License-Identifier: BSD-2-Clause-Patent
// What each stage of the simulated engine does, clock by clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace espalier::driver {

enum class StageWork : std::uint8_t {
  starved,  ///< Nothing came.
  waiting,  ///< It had something, or may have had, and one of its outputs had no room.
  busy,     ///< It took a word or gave one.
};

/// A recording, filled by device "engine" while `left` is not 0.  Threads: the device's.
struct Occupancy {
  std::vector<std::string_view> stages;  ///< In packet order; set when the device opens.
  std::vector<StageWork> work;           ///< stages.size() a clock.
  std::size_t left = 0;                  ///< Clocks that will still be recorded.

  std::size_t clocks() const { return stages.empty() ? 0 : work.size() / stages.size(); }
  /// Begins anew, with memory for `most` clocks.
  void record(std::size_t most) {
    work.clear();
    work.reserve(most * stages.size());
    left = most;
  }
};

}  // namespace espalier::driver
