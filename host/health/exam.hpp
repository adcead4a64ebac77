// SPDX-License-Identifier: BSD-2-Clause-Patent
// One round of known-answer tests on one device: each packet sealed, opened, and refused with a
// damaged ICV.
//
// The SAs go into the device's last slot, which is kept from the context's own.  Installs and
// removals are the control thread's; the jobs are run by whichever queue polls next (errand.hpp).
#pragma once

#include <cstdint>
#include <vector>

#include "health/known_answers.hpp"
#include "health/service.hpp"

namespace espalier {

/// Threads: the control thread.
class Exam {
 public:
  enum class Outcome : std::uint8_t {
    running,
    passed,
    refused,  ///< It failed on a good packet.
    wrong,    ///< What it calls ok is not.
    overdue,
  };

  /// Prepares the questions `device` supports.  Allocates.
  Exam(driver::Device& device, Errand& errand, Time patience);

  void begin(Time now) noexcept;
  /// Goes on as far as it can without waiting.
  Outcome step(Time now) noexcept;
  /// Ends a round that will not be finished; the device is to be reset.
  void abandon() noexcept;
  bool under_way() const noexcept { return under_way_; }

 private:
  enum class Part : std::uint8_t { seal, open, forged };
  enum class Stage : std::uint8_t { install, fill, post, wait, wipe };

  bool advance(Time now, Outcome& outcome) noexcept;
  void enter(Stage stage, Time now) noexcept;
  void post() noexcept;
  Outcome judge() const noexcept;
  bool overdue(Time now) noexcept;
  driver::Slot slot() const noexcept {
    return static_cast<driver::Slot>(device_.capabilities().slots - 1);
  }

  driver::Device& device_;
  Errand& errand_;
  Time patience_;
  std::vector<Question> questions_;
  std::size_t at_ = 0;
  Part part_ = Part::seal;
  Stage stage_ = Stage::install;
  std::uint16_t generation_ = 0;
  Time since_{0};
  unsigned looks_ = 0;
  bool under_way_ = false;
};

}  // namespace espalier
