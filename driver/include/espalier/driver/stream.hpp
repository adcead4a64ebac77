// SPDX-License-Identifier: BSD-2-Clause-Patent
// The bare packet engine as a device: no rings, no DMA, only its four streams
// (docs/architecture.md).
#pragma once

#include <memory>
#include <string>

#include "espalier/driver/device.hpp"
#include "espalier/driver/occupancy.hpp"

namespace espalier::driver {

struct StreamOptions {
  unsigned queue_depth = 256;  ///< Packets the one queue holds, 1 to 4096.
  /// Device engine: file to which every signal is traced (FST), none if empty.  Needs a build with
  /// ESPALIER_WAVES.
  std::string trace_file = {};
  /// Device engine: where it records what its stages do; outlives the device.
  Occupancy* occupancy = nullptr;
};

/// Device "csim": the engine's C++, compiled natively.  A pass of its function counts as a cycle,
/// which says nothing of speed.  Null if an option is out of range or memory is short.
std::unique_ptr<Device> make_csim(const StreamOptions& options = {});

/// Device "engine": the engine's RTL as tools/hls2rtl made it, in Verilator.  Its cycles are those
/// of the hardware.  Null if an option is out of range or memory is short.
std::unique_ptr<Device> make_engine(const StreamOptions& options = {});

}  // namespace espalier::driver
