// SPDX-License-Identifier: BSD-2-Clause-Patent
// Anti-replay window (RFC 4303 3.4.3) with an atomic check-and-set, and the inference of extended
// numbers (appendix A2.2).
//
// The window is a ring of blocks, 32 numbers each.  A ring word holds the block's 32 "seen" bits
// and, above them, the lap of the ring it stands for, so a word that an earlier lap left behind
// says so itself and nothing has to be cleared when the window jumps.  A commit raises `highest`
// first and sets its bit after; so whoever meets a word of a later lap also sees a `highest` that
// puts its own number left of the window.
//
// The ring covers the window plus every number that can be in flight, because a number that was
// inside the window when its packet arrived may be committed after packets that arrived later on
// another queue (R16 in docs/conformance.md).
//
// Laps are kept modulo 2^32: a word untouched for 2^43 numbers and more could be taken for the
// present lap, which can only drop a packet, never accept one twice.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "epoch/users.hpp"

namespace espalier {

inline constexpr std::uint32_t kMinReplayWindow = 32;
inline constexpr std::uint32_t kMaxReplayWindow = 65536;

/// The 64-bit number of a packet that carries `low`, given the highest number seen and the window
/// (RFC 4303 appendix A2.2).  0 if it would lie before the first number, which is never valid.
constexpr std::uint64_t infer_number(std::uint32_t low, std::uint64_t highest,
                                     std::uint32_t window) {
  const std::uint32_t top_low = static_cast<std::uint32_t>(highest);
  const std::uint64_t top_high = highest >> 32;
  const std::uint32_t bottom = top_low - window + 1;  // modulo 2^32 in the second case
  std::uint64_t high = top_high;
  if (top_low >= window - 1) {  // the window lies within one subspace
    if (low < bottom) high = top_high + 1;
  } else if (low >= bottom) {  // it spans two, and this number is in the lower one
    if (top_high == 0) return 0;
    high = top_high - 1;
  }
  return high > 0xffffffffu ? 0 : high << 32 | low;
}

/// Threads: any number of callers of check(), callers of commit() as start() was told; start() and
/// stop() while nobody calls either.
class ReplayWindow {
 public:
  ReplayWindow() = default;  ///< Off.
  /// Numbers up to `highest` count as left of or inside the window; those inside are unseen.
  /// `size`: kMinReplayWindow to kMaxReplayWindow.  `in_flight`: numbers that may be under way.
  /// Allocates.
  void start(std::uint32_t size, std::uint32_t in_flight, std::uint64_t highest, Users users);
  void stop() noexcept;

  bool on() const noexcept { return size_ != 0; }
  std::uint32_t size() const noexcept { return size_; }
  std::uint64_t highest() const noexcept { return highest_.load(std::memory_order_acquire); }
  /// Has brought near what the next number in order needs.
  void prefetch() const noexcept {
    if (on()) __builtin_prefetch(&word(highest() + 1), 1);
  }

  /// True if `number` is right of the window, or inside and unseen.  Changes nothing.
  bool check(std::uint64_t number) const noexcept {
    const std::uint64_t top = highest();
    return number > top || check_inside(number, top);
  }

  /// Marks an authenticated packet's number as seen.  True for exactly one of several callers with
  /// the same number.  `lag`: how far left of the window a number may have come to lie since its
  /// check(), at most start()'s `in_flight`; 0 where packets are committed in the order
  /// they were checked.
  bool commit(std::uint64_t number, std::uint32_t lag = 0) noexcept;

 private:
  static constexpr unsigned kBlockBits = 5;

  bool check_inside(std::uint64_t number, std::uint64_t top) const noexcept;
  std::uint64_t marked(std::uint64_t seen, std::uint64_t number) const noexcept;
  bool commit_alone(std::uint64_t number, std::uint32_t lag) noexcept;

  std::uint64_t block(std::uint64_t number) const { return number >> kBlockBits; }
  std::uint64_t lap_word(std::uint64_t number) const { return (block(number) >> ring_bits_) << 32; }
  std::atomic<std::uint64_t>& word(std::uint64_t number) const {
    return words_[block(number) & ((std::uint64_t{1} << ring_bits_) - 1)];
  }

  std::uint32_t size_ = 0;
  Users users_ = Users::any;
  std::uint8_t ring_bits_ = 0;
  std::atomic<std::uint64_t> highest_{0};
  std::unique_ptr<std::atomic<std::uint64_t>[]> words_;
};

}  // namespace espalier
