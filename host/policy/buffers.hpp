// SPDX-License-Identifier: BSD-2-Clause-Patent
// A queue's own memory for packets the boundary makes, and its bounded rings.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "espalier/context.hpp"

namespace espalier {

/// A stack of numbers; the one used last is the warmest.  Its owner never puts more in than
/// `capacity`.
class FixedStack {
 public:
  /// Full: the lowest of `first` to `first + capacity - 1` on top.  Allocates.
  FixedStack(std::uint32_t first, std::uint32_t capacity) : items_(capacity), size_(capacity) {
    for (std::uint32_t i = 0; i < capacity; ++i) items_[i] = first + capacity - 1 - i;
  }
  void push(std::uint32_t number) noexcept { items_[size_++] = number; }
  std::uint32_t pop() noexcept { return items_[--size_]; }
  /// The number that the n-th pop() from now on will give; 1 is the next.
  std::uint32_t peek(std::uint32_t n) const noexcept { return items_[size_ - n]; }
  std::uint32_t size() const noexcept { return size_; }

 private:
  std::vector<std::uint32_t> items_;
  std::uint32_t size_;
};

/// Equal buffers, lent out by number.
/// Threads: the queue's.
class Buffers {
 public:
  /// `first`: the lowest lease, not 0.  Memory is the context's where it has some: then devices
  /// need no copy.  Allocates.
  Buffers(Context& context, std::uint32_t first, std::uint32_t count, std::uint32_t octets)
      : context_(context),
        first_(first),
        octets_((octets + 63) / 64 * 64),
        free_(first, count),
        lent_(count) {
    const std::size_t total = static_cast<std::size_t>(octets_) * count;
    memory_ = context.allocate(total);
    if (memory_.empty()) {
      own_.resize(total);
      memory_ = own_;
    }
  }
  ~Buffers() {
    if (own_.empty() && !memory_.empty()) context_.release(memory_);
  }
  Buffers(const Buffers&) = delete;
  Buffers& operator=(const Buffers&) = delete;

  std::uint32_t available() const noexcept { return free_.size(); }
  /// A lease; 0 if there is none left.
  std::uint32_t take() noexcept {
    if (free_.size() == 0) return 0;
    const std::uint32_t lease = free_.pop();
    lent_[lease - first_] = 1;
    return lease;
  }
  /// False if it is not lent: nothing happens.
  bool give_back(std::uint32_t lease) noexcept {
    if (lease - first_ >= lent_.size() || lent_[lease - first_] == 0) return false;
    lent_[lease - first_] = 0;
    free_.push(lease);
    return true;
  }
  std::span<std::uint8_t> operator[](std::uint32_t lease) const noexcept {
    return memory_.subspan(static_cast<std::size_t>(lease - first_) * octets_, octets_);
  }

 private:
  Context& context_;
  std::uint32_t first_, octets_;
  std::vector<std::uint8_t> own_;
  std::span<std::uint8_t> memory_;
  FixedStack free_;
  std::vector<std::uint8_t> lent_;
};

/// A fixed ring.  Its owner never puts more in than `capacity`.
template <class T>
class FixedRing {
 public:
  explicit FixedRing(std::uint32_t capacity)
      : items_(std::bit_ceil(capacity)), mask_(std::bit_ceil(capacity) - 1) {}
  void push(const T& item) noexcept { items_[tail_++ & mask_] = item; }
  T& front() noexcept { return items_[head_ & mask_]; }
  T& at(std::uint32_t i) noexcept { return items_[(head_ + i) & mask_]; }
  void pop(std::uint32_t n = 1) noexcept { head_ += n; }
  std::uint32_t size() const noexcept { return tail_ - head_; }
  bool empty() const noexcept { return head_ == tail_; }

 private:
  std::vector<T> items_;
  std::uint32_t mask_, head_ = 0, tail_ = 0;
};

}  // namespace espalier
