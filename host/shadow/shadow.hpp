// SPDX-License-Identifier: BSD-2-Clause-Patent
// Packets that are done twice: which, and the memory for it.
//
// The device's result goes where the caller wants it; software's goes into a slot, and only when
// both are there is the packet delivered.  Where the result overwrites the source (in place), the
// source is copied into the slot before the device gets the job.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "espalier/driver/segments.hpp"
#include "espalier/health.hpp"
#include "sa/iv.hpp"

namespace espalier {

using driver::Segment;

/// Decides which packets are sampled.  In production from a generator nobody can foretell
/// (sa/iv.hpp has it); a seed is for tests. Threads: one caller.
class ShadowSampler {
 public:
  /// `stream` keeps the queues' samples apart.
  ShadowSampler(const HealthConfig& config, unsigned stream);
  bool strikes() noexcept {
    if (threshold_ == 0) return false;
    return threshold_ > 0xffffffffu || draw() < threshold_;
  }

 private:
  std::uint32_t draw() noexcept;

  std::uint64_t threshold_;  // of 2^32
  std::uint64_t seeded_;     // state of the tests' generator; 0: the other one
  CbcIvGenerator secret_;
  std::uint32_t drawn_[kCbcIvLength / 4] = {};
  unsigned left_ = 0;
};

/// A queue's slots.  Threads: the queue's.
class ShadowSlots {
 public:
  static constexpr std::uint8_t kNone = 0xff;

  struct Slot {
    Segment source;  ///< Filled by keep().
    Segment result;
    driver::Completion first;              ///< The device's.
    std::span<const Segment> destination;  ///< The job's own, while it points to `result`.
    bool kept = false;
  };

  /// `octets`: of the longest packet.  Allocates; nothing later does.
  ShadowSlots(std::uint32_t count, std::uint32_t octets);

  /// kNone if all are in use.
  std::uint8_t take() noexcept {
    if (free_.empty()) return kNone;
    const std::uint8_t slot = free_.back();
    free_.pop_back();
    return slot;
  }
  /// Wipes and frees it.
  void give_back(std::uint8_t slot) noexcept;
  Slot& operator[](std::uint8_t slot) noexcept { return slots_[slot]; }
  /// Copies the source, which the result will overwrite.
  void keep(std::uint8_t slot, std::span<const Segment> source) noexcept;
  /// Where software is to put its result: as much room as the caller gave.
  std::span<const Segment> result(std::uint8_t slot, std::uint32_t room) noexcept;

 private:
  std::uint32_t octets_;
  std::vector<std::uint8_t> memory_;
  std::vector<Slot> slots_;
  std::vector<std::uint8_t> free_;
};

}  // namespace espalier
