// SPDX-License-Identifier: BSD-2-Clause-Patent
// The devices this build has, by the names the command line and the API use.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "espalier/driver/device.hpp"
#include "espalier/driver/occupancy.hpp"
#include "espalier/result.hpp"

namespace espalier {

struct DeviceOptions {
  unsigned queues = 1;
  unsigned queue_depth = 1024;  ///< A power of two.
  /// SAs it has to hold, where that is not fixed: Context needs one slot more than max_sas.
  unsigned slots = 65536;
  std::string argument;  ///< What stands behind the colon of a name like cosim:pcie3x16.
  /// Devices engine and cosim: FST file of every signal; needs a build with ESPALIER_WAVES.
  std::string waves;
  driver::Occupancy* occupancy = nullptr;  ///< Device engine: recorded there, if not null.
};

struct DeviceKind {
  std::string_view name;
  std::string_view what;  ///< One line.
  /// What may stand behind the colon, comma-separated.
  std::string_view arguments;
  /// Null if it can't be opened; then `why` may say so in one line.
  std::unique_ptr<driver::Device> (*open)(const DeviceOptions&, std::string& why);
};

/// Those compiled in, best first.
std::span<const DeviceKind> device_kinds();

/// Opens a device by name, with an argument behind a colon where its kind takes one.  `auto` is the
/// best device that is neither simulated nor `null` (D13).
Result<std::unique_ptr<driver::Device>> open_device(std::string_view name,
                                                    DeviceOptions options = {});

}  // namespace espalier
