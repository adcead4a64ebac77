// SPDX-License-Identifier: BSD-2-Clause-Patent
// The whole card in simulation as a device: rings, DMA and engine as they ship, in Verilator.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "espalier/driver/device.hpp"

namespace espalier::driver {

struct CosimOptions {
  std::string link = "ideal";            ///< "ideal" or "pcie3x16" (docs/simulated-card.md).
  unsigned depth_log2 = 10;              ///< log2 of the jobs a queue holds, 3 to 13.
  std::uint64_t seed = 1;                ///< Of everything that is random in the link.
  std::size_t memory_bytes = 64u << 20;  ///< Host memory the card reaches.
  std::string waves;  ///< FST file of every signal; needs a build with ESPALIER_WAVES.
};

/// Device "cosim".  Null on failure; `why` is then one line that says how to mend it.
/// Time passes only in calls: poll() without a result and tick() let the card run.
std::unique_ptr<Device> make_cosim(const CosimOptions& options, std::string& why);

}  // namespace espalier::driver
