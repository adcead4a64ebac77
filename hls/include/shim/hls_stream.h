// SPDX-License-Identifier: BSD-2-Clause-Patent
// hls::stream<T, DEPTH>: a named FIFO between two stages, with the calls of Vitis HLS.
//
// Natively (csim) it is a ring that grows when a step function writes beyond its end: steps never
// test full(), so csim has no back-pressure to lose data by.
// For the translator (HLS_RTL) it is three volatile places whose accesses are the FIFO's handshake;
// DEPTH becomes the FIFO's depth, 0 leaves it to the stitcher.
#pragma once

#include <fields.h>

#ifndef HLS_RTL
#include <cassert>
#include <cstddef>
#include <memory>
#endif

namespace hls {

/// A step takes hls::stream<T>&, whatever depth the stream has.
template <class T, int DEPTH = 0>
class stream;
template <class T>
class stream<T, 0>;

#ifdef HLS_RTL

template <class T>
class stream<T, 0> {
 public:
  bool empty() const { return empty_; }
  T read() { return unpack<T>(in_.bits); }
  void write(const T& x) { out_.bits = pack(x).V; }

 private:
  volatile bool empty_;
  volatile detail::wires<width_of<T>> in_;
  volatile detail::wires<width_of<T>> out_;
};

#else

/// Threads: none; a stream has one writer and one reader, both in the same thread.
template <class T>
class stream<T, 0> {
 public:
  stream() = default;
  explicit stream(const char*) {}  // Vitis lets a stream be named
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;

  bool empty() const { return head_ == tail_; }
  std::size_t size() const { return tail_ - head_; }

  /// Pops the oldest entry; the stream must not be empty.
  T read() {
    assert(!empty() && "read of an empty stream: guard it with !empty()");
    return ring_[head_++ & mask_];
  }

  void write(const T& x) {
    if (size() == capacity_) grow();
    ring_[tail_++ & mask_] = x;
  }

 private:
  void grow() {
    const std::size_t next = capacity_ ? 2 * capacity_ : 4;
    std::unique_ptr<T[]> ring(new T[next]);
    for (std::size_t i = head_; i != tail_; ++i) ring[i & (next - 1)] = ring_[i & mask_];
    ring_ = std::move(ring);
    capacity_ = next;
    mask_ = next - 1;
  }

  std::unique_ptr<T[]> ring_;
  std::size_t capacity_ = 0, mask_ = 0;
  std::size_t head_ = 0, tail_ = 0;  // counted without wrapping
};

#endif

template <class T, int DEPTH>
class stream : public stream<T, 0> {};

}  // namespace hls
