// SPDX-License-Identifier: BSD-2-Clause-Patent
// The CPU as a device: every suite, mode and option, by OpenSSL, on request also by libipsec-mb.
#pragma once

#include <memory>

#include "espalier/driver/device.hpp"

namespace espalier::driver {

struct SoftwareOptions {
  unsigned queues = 1;          ///< 1 to 256; each keeps keyed contexts of its own for every SA.
  unsigned queue_depth = 1024;  ///< Completions a queue holds.
  unsigned slots = 16384;       ///< 1 to 65536.
  /// Does by libipsec-mb what that does faster, the same octets; OpenSSL does the rest.
  bool multi_buffer = false;
  /// With multi_buffer: leaves to OpenSSL what that does faster, frames that would run alone, or in
  /// a burst of fewer than eight jobs, in lanes made for sixteen.
  bool few_by_openssl = false;
};

/// True if this build has libipsec-mb and this CPU the instructions it needs.
bool multi_buffer_available();

/// Opens the software device, priority 0.  Null if an option is out of range, memory is short, or
/// multi_buffer is wanted and not available.
///
/// submit() does the whole work of a job, so a completion is there as soon as submit() returns;
/// neither call allocates, locks or enters the kernel.  Sources and destinations of one segment
/// that do not overlap, or overlap so that the payload keeps its place, are worked on where they
/// are; everything else costs a copy.
std::unique_ptr<Device> make_software(const SoftwareOptions& options = {});

}  // namespace espalier::driver
