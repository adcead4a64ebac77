// SPDX-License-Identifier: BSD-2-Clause-Patent
// A device that misbehaves on purpose: wraps any other and breaks its promises at given rates.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "espalier/driver/device.hpp"

namespace espalier::driver {

/// How often each fault strikes, in jobs per million (0 never, 1,000,000 every job); a job has one
/// fault at most.  The same seed and the same calls give the same faults.
struct FaultOptions {
  std::uint64_t seed = 1;

  unsigned refuse = 0;          ///< submit() stops before the job, as if the queue were full.
  unsigned read_error = 0;      ///< Completes as read_error; nothing was done.
  unsigned write_error = 0;     ///< Completes as write_error; the destination holds rubbish.
  unsigned stall = 0;           ///< It and all behind it complete many polls later.
  unsigned reorder = 0;         ///< Completes after its successor.
  unsigned duplicate = 0;       ///< Completes twice.
  unsigned lose = 0;            ///< Never completes, though its work is done.
  unsigned hang = 0;            ///< From it on nothing completes until reset().
  unsigned late_write = 0;      ///< Never completes, and writes its result much later all the same.
  unsigned false_icv = 0;       ///< An open that is right completes as icv_mismatch.
  unsigned flip = 0;            ///< Silent: one bit of a result that is called ok is wrong.
  unsigned refuse_install = 0;  ///< install() says no_room (per million installs).
};

/// One fault by the name the command line uses.
struct FaultName {
  std::string_view name;
  unsigned FaultOptions::*rate;
  bool silent;  ///< No status or order gives it away; only a comparison does.
  std::string_view doc;
};
std::span<const FaultName> fault_names();

/// Sets each fault of a comma-separated list, or `all`, to `per_million`.  Empty if done, else one
/// line that names the faults there are.
std::string set_faults(std::string_view list, unsigned per_million, FaultOptions& options);

/// Wraps `inner`, whose capabilities it shows under a name of its own.  Null if `inner` is null or
/// memory is short.  For tests: it takes a lock per call and copies late results.
/// reset() says false once while a late write is under way, which is then done: the device is not
/// quiet before.
std::unique_ptr<Device> make_fault_device(std::unique_ptr<Device> inner,
                                          const FaultOptions& options);

}  // namespace espalier::driver
