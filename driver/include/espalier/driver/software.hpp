// SPDX-License-Identifier: BSD-2-Clause-Patent
// The CPU as a device: every suite, mode and option, by OpenSSL.
#pragma once

#include <memory>

#include "espalier/driver/device.hpp"

namespace espalier::driver {

struct SoftwareOptions {
  unsigned queues = 1;          ///< 1 to 256; each keeps keyed contexts of its own for every SA.
  unsigned queue_depth = 1024;  ///< Completions a queue holds.
  unsigned slots = 16384;       ///< 1 to 65536.
};

/// Opens the software device, priority 0.  Null if an option is out of range or memory is short.
///
/// submit() does the whole work of a job, so a completion is there as soon as submit() returns;
/// neither call allocates, locks or enters the kernel.  Sources and destinations of one segment
/// that do not overlap, or overlap so that the payload keeps its place, are worked on where they
/// are; everything else costs a copy.
std::unique_ptr<Device> make_software(const SoftwareOptions& options = {});

}  // namespace espalier::driver
