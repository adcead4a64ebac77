// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "replay/window.hpp"

#include <bit>

namespace espalier {
namespace {

constexpr std::uint64_t kLap = 0xffffffff00000000ull;

/// True if `number` lies `reach` or more behind `highest`.
constexpr bool left_of(std::uint64_t number, std::uint64_t highest, std::uint64_t reach) {
  return number < highest && highest - number >= reach;
}

}  // namespace

// One block more than the covered span fills, because the window seldom ends on a block's edge.
void ReplayWindow::start(std::uint32_t size, std::uint32_t in_flight, std::uint64_t highest,
                         Users users) {
  const std::uint64_t blocks = (std::uint64_t{size} + in_flight + 31) >> kBlockBits;
  ring_bits_ = static_cast<std::uint8_t>(std::bit_width(blocks));
  words_ = std::make_unique<std::atomic<std::uint64_t>[]>(std::size_t{1} << ring_bits_);
  users_ = users;
  highest_.store(highest, std::memory_order_relaxed);
  size_ = size;
}

void ReplayWindow::stop() noexcept {
  size_ = 0;
  words_.reset();
}

bool ReplayWindow::check_inside(std::uint64_t number, std::uint64_t top) const noexcept {
  if (number == 0 || left_of(number, top, size_)) return false;
  const std::uint64_t seen = word(number).load(std::memory_order_acquire);
  return (seen & kLap) != lap_word(number) || (seen >> (number & 31) & 1) == 0;
}

/// The ring word `seen` with the number's bit set: itself, if it was.
std::uint64_t ReplayWindow::marked(std::uint64_t seen, std::uint64_t number) const noexcept {
  const std::uint64_t lap = lap_word(number), bit = std::uint64_t{1} << (number & 31);
  return ((seen & kLap) == lap ? seen : lap) | bit;
}

bool ReplayWindow::commit(std::uint64_t number, std::uint32_t lag) noexcept {
  if (number == 0) return false;
  if (users_ == Users::one) return commit_alone(number, lag);
  std::uint64_t top = highest_.load(std::memory_order_relaxed);
  while (number > top && !highest_.compare_exchange_weak(top, number, std::memory_order_acq_rel,
                                                         std::memory_order_relaxed)) {
  }
  std::atomic<std::uint64_t>& slot = word(number);
  std::uint64_t seen = slot.load(std::memory_order_acquire);
  for (;;) {
    if (left_of(number, highest(), std::uint64_t{size_} + lag)) return false;
    const std::uint64_t next = marked(seen, number);
    if (next == seen) return false;
    if (slot.compare_exchange_weak(seen, next, std::memory_order_acq_rel,
                                   std::memory_order_acquire))
      return true;
  }
}

bool ReplayWindow::commit_alone(std::uint64_t number, std::uint32_t lag) noexcept {
  const std::uint64_t top = highest_.load(std::memory_order_relaxed);
  if (number > top)
    highest_.store(number, std::memory_order_release);
  else if (left_of(number, top, std::uint64_t{size_} + lag))
    return false;
  std::atomic<std::uint64_t>& slot = word(number);
  const std::uint64_t seen = slot.load(std::memory_order_relaxed);
  const std::uint64_t next = marked(seen, number);
  slot.store(next, std::memory_order_release);
  return next != seen;
}

}  // namespace espalier
