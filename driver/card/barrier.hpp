// SPDX-License-Identifier: BSD-2-Clause-Patent
// Ordering between host memory and the card, named by purpose, and explicit byte order.
//
// Ring memory is written by one side and read by the other without a lock; the compiler and the CPU
// keep the order only where these say so.  On x86 and arm64 with coherent DMA the fences below are
// what the C++ memory model needs; the register write behind a doorbell orders itself on the bus.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>

namespace espalier::driver {

/// Everything the card will read is written before the doorbell that shows it.
inline void publish_barrier() noexcept {
  std::atomic_thread_fence(std::memory_order_release);
}

/// Nothing of a completion's data is read before the completion that vouches for it.
inline void accept_barrier() noexcept {
  std::atomic_thread_fence(std::memory_order_acquire);
}

static_assert(std::endian::native == std::endian::little,
              "rings are little-endian: swap in to_card() and from_card() for other hosts");

/// Writes a boundary structure into memory that the card reads.
template <class T>
void to_card(void* memory, const T& value) noexcept {
  std::memcpy(memory, &value, sizeof value);
}

/// Reads a boundary structure that the card may be writing.
template <class T>
T from_card(const void* memory) noexcept {
  T value;
  std::memcpy(&value, memory, sizeof value);
  return value;
}

}  // namespace espalier::driver
