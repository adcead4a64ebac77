// SPDX-License-Identifier: BSD-2-Clause-Patent
// Bursts through a device alone (L0): what Flow does through a Context.
#pragma once

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "espalier/driver/device.hpp"
#include "figures.hpp"

namespace espalier::bench {

/// Throws std::runtime_error with one line if a device or suite is not to be had.
class DeviceFlow {
 public:
  /// `sizes`: inner octets, in turn.  `sas`: SA pairs; each packet takes one at random.
  DeviceFlow(const std::string& device, const std::string& suite,
             const std::vector<std::uint32_t>& sizes, std::uint32_t sas, std::uint32_t burst);

  /// Seals a burst of clear packets; nanoseconds from submit() to the last completion.
  double seal();
  /// Opens the burst that seal() made.
  double open();
  /// False once a packet was not ok, or came back changed.
  bool sound() const { return sound_; }

  std::uint32_t burst() const { return burst_; }
  static constexpr bool in_place() { return false; }
  std::vector<std::span<const std::uint8_t>> clear() const;

 private:
  double run(std::vector<driver::Job>& jobs);
  std::uint32_t length(std::size_t packet) const { return sizes_[packet % sizes_.size()]; }
  std::uint8_t* at(std::vector<std::uint8_t>& memory, std::size_t packet) const {
    return &memory[packet * room_];
  }

  std::vector<std::uint32_t> sizes_;
  std::uint32_t sas_, burst_;
  std::size_t room_;
  std::unique_ptr<driver::Device> device_;
  std::vector<std::uint64_t> numbers_;  // by SA pair: the last one used
  std::vector<std::uint8_t> clear_, sealed_, opened_;
  std::vector<driver::Segment> segments_;  // clear, sealed room, sealed, opened: burst of each
  std::vector<driver::Job> seals_, opens_;
  std::vector<driver::Completion> completions_;
  std::mt19937 random_{1};
  bool sound_ = true;
};

}  // namespace espalier::bench
