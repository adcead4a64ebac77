// SPDX-License-Identifier: BSD-2-Clause-Patent
// mem<T, N, LATENCY, HAZARD>: a memory of N entries with one read port and one write port.
//
// Both ports serve one step per clock.  A step reads before it writes, so it gets the entry as it
// was before its own write (read-first), and as all earlier steps left it.  A read takes LATENCY
// clocks, which become pipeline stages of the step function.  Contents are not reset; they start as
// zeros.
//
// LATENCY  1: LUT RAM or a single block RAM; >= 3 for deep memories (output register and cascade).
// HAZARD   says what holds if a step's write depends on its own read, so that the next step reads
//          while the write is still in the pipeline:
//            hls::hazard::forbid   there is no such write; if there is, the translator says so
//            hls::hazard::promise  steps whose writes are still under way never read that entry;
//            the
//                                  source says beside the member what keeps them apart
//            hls::hazard::forward  writes under way are forwarded to the read, at a cost in LUTs
#pragma once

#include <fields.h>

#ifndef HLS_RTL
#include <cassert>
#include <vector>
#endif

namespace hls {

enum class hazard { forbid, promise, forward };

namespace detail {
constexpr int address_width(long n) {
  return n <= 2 ? 1 : 1 + address_width((n + 1) / 2);
}
}  // namespace detail

#ifdef HLS_RTL

template <class T, int N, int LATENCY = 1, hazard HAZARD = hazard::forbid>
class mem {
 public:
  using address = ap_uint<detail::address_width(N)>;
  T read(address at) const { return unpack<T>(entry_[at.to_uint()].bits); }
  void write(address at, const T& x) { entry_[at.to_uint()].bits = pack(x).V; }

 private:
  static_assert(N >= 2 && LATENCY >= 1, "a memory has two entries or more, and a latency");
  volatile detail::wires<width_of<T>> entry_[N];
};

#else

/// Natively: N entries on the heap, all zero bits at first.
template <class T, int N, int LATENCY = 1, hazard HAZARD = hazard::forbid>
class mem {
 public:
  using address = ap_uint<detail::address_width(N)>;
  mem() : entry_(N) {}
  mem(const mem&) = delete;
  mem& operator=(const mem&) = delete;

  T read(address at) const {
    assert(at < N);
    return entry_[at.to_uint()];
  }
  void write(address at, const T& x) {
    assert(at < N);
    entry_[at.to_uint()] = x;
  }

 private:
  std::vector<T> entry_;
};

#endif

}  // namespace hls
