// SPDX-License-Identifier: BSD-2-Clause-Patent
// One device driven job by job, waiting for each answer: for tests and measurements at L0.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "espalier/driver/device.hpp"

namespace espalier::cli {

using Octets = std::vector<std::uint8_t>;

class Rig {
 public:
  /// Uses the device's last slot and first queue; whoever else uses the device leaves those alone
  /// while a call is under way.
  explicit Rig(driver::Device& device) : device_(device) {}

  struct Outcome {
    driver::Status status;
    Octets packet;  ///< Empty unless ok.
    std::uint8_t next_header;
  };

  /// Fills the slot and waits until it is ready.  Throws Failure if the device does not answer.
  void install(const driver::SaParameters& sa);
  /// Runs one job of the installed SA on `packet`.
  Outcome run(driver::Job job, Octets packet);
  /// Wipes the slot and waits until it is empty.
  void remove();

 private:
  template <class Done>
  void wait(Done&& done, const char* what);

  driver::Device& device_;
  driver::Generation generation_{};
};

}  // namespace espalier::cli
