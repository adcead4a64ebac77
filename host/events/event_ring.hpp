// SPDX-License-Identifier: BSD-2-Clause-Patent
// The bounded ring of events: many producers (queues and control), one consumer.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "espalier/event.hpp"

namespace espalier {

/// A cell's turn says whose it is: `position` free to be written, `position + 1` ready to be read.
/// Never blocks or allocates: what does not fit is counted as lost.
template <class T>
class Ring {
 public:
  /// `capacity`: a power of two.
  explicit Ring(std::uint32_t capacity)
      : mask_(capacity - 1), cells_(std::make_unique<Cell[]>(capacity)) {
    for (std::uint32_t i = 0; i < capacity; ++i) cells_[i].turn.store(i, std::memory_order_relaxed);
  }

  void push(const T& event) noexcept {
    std::uint64_t at = tail_.load(std::memory_order_relaxed);
    for (;;) {
      Cell& cell = cells_[at & mask_];
      const std::uint64_t turn = cell.turn.load(std::memory_order_acquire);
      if (turn == at) {
        if (!tail_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) continue;
        cell.event = event;
        cell.turn.store(at + 1, std::memory_order_release);
        return;
      }
      if (turn < at) {  // a lap behind: full
        lost_.fetch_add(1, std::memory_order_relaxed);
        return;
      }
      at = tail_.load(std::memory_order_relaxed);
    }
  }

  /// Takes the oldest event; false if there is none.
  bool pop(T& event) noexcept {
    Cell& cell = cells_[head_ & mask_];
    if (cell.turn.load(std::memory_order_acquire) != head_ + 1) return false;
    event = cell.event;
    cell.turn.store(head_ + mask_ + 1, std::memory_order_release);
    ++head_;
    return true;
  }

  bool empty() const noexcept {
    return cells_[head_ & mask_].turn.load(std::memory_order_acquire) != head_ + 1;
  }
  /// Events that found no room since the ring was made.
  std::uint64_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

 private:
  struct Cell {
    std::atomic<std::uint64_t> turn{0};
    T event;
  };

  std::uint64_t mask_;
  std::unique_ptr<Cell[]> cells_;
  std::atomic<std::uint64_t> tail_{0};
  std::uint64_t head_ = 0;
  std::atomic<std::uint64_t> lost_{0};
};

using EventRing = Ring<Event>;

}  // namespace espalier
