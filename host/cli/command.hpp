// SPDX-License-Identifier: BSD-2-Clause-Patent
// What the commands share: how they are found, and how they fail.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <stdexcept>
#include <string>

#include "espalier/devices.hpp"
#include "espalier/driver/device.hpp"

namespace espalier::cli {

/// Exit status, a contract with scripts.
enum Exit : int {
  kDone = 0,
  kSomeFailed = 1,  ///< Some packet or vector failed.
  kUsage = 2,       ///< Usage or set-up error, one line on stderr.
};

/// A set-up error: one line that says what is wrong and how to mend it.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The device of this name; throws Failure.
std::unique_ptr<driver::Device> device_or_fail(const std::string& name,
                                               const DeviceOptions& options = {});

/// True if it counts the cycles of a clock: simulated hardware, not csim, whose cycles are passes.
inline bool clocked(const driver::Device& device) {
  const driver::Capabilities& can = device.capabilities();
  return can.simulated && can.name != "csim" && can.name != "null";
}

inline constexpr const char* kDeviceHelp =
    "auto, software, csim, engine, cosim, xrt[:N] or null; 'espalier devices' lists those there "
    "are";

// Each adds its sub-command; running it stores the exit status in `status`.
void add_devices(CLI::App& app, int& status);
void add_selftest(CLI::App& app, int& status);
void add_vectors(CLI::App& app, int& status);
void add_bench(CLI::App& app, int& status);
void add_protect(CLI::App& app, int& status);
void add_unprotect(CLI::App& app, int& status);
void add_demo(CLI::App& app, int& status);
void add_soak(CLI::App& app, int& status);
void add_prove(CLI::App& app, int& status);

}  // namespace espalier::cli
