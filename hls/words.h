// SPDX-License-Identifier: BSD-2-Clause-Patent
// Moving and masking the sixteen 4-octet words of a beat.  ESP offsets are multiples of four octets
// (RFC 4303 section 2), so nothing in the engine is ever moved by less than a word.
#ifndef ESPALIER_HLS_WORDS_H
#define ESPALIER_HLS_WORDS_H

#include "types.h"

namespace espalier {

using WordMask = ap_uint<kBeatWords>;

/// Bits [lo + W - 1, lo] of `x`.
template <int W, int N>
ap_uint<W> field(const ap_uint<N>& x, int lo) {
  return x.range(lo + W - 1, lo);
}

/// `x` turned by a constant: word i goes to word i + words, modulo 16.
inline BeatData turned(const BeatData& x, int words) {
  return words == 0 ? x : BeatData((x << (32 * words)) | (x >> (kBeatBits - 32 * words)));
}

/// One of four, as a LUT6 has it.
template <int W>
ap_uint<W> choose(ap_uint<2> which, const ap_uint<W>& a, const ap_uint<W>& b, const ap_uint<W>& c,
                  const ap_uint<W>& d) {
  const ap_uint<W> low = which[0] ? b : a;
  const ap_uint<W> high = which[0] ? d : c;
  return which[1] ? high : low;
}

/// `x` turned: word i goes to word i + words, modulo 16.  Two levels of four-way choices.
inline BeatData turn(const BeatData& x, ap_uint<4> words) {
  const ap_uint<2> fine = words.range(1, 0), coarse = words.range(3, 2);
  const BeatData y = choose<kBeatBits>(fine, x, turned(x, 1), turned(x, 2), turned(x, 3));
  return choose<kBeatBits>(coarse, y, turned(y, 4), turned(y, 8), turned(y, 12));
}

/// Ones in the first `count` places, count 0..N.
template <int N, int W>
ap_uint<N> first_places(const ap_uint<W>& count) {
  ap_uint<N> mask = 0;
  for (int i = 0; i < N; ++i) mask[i] = count > i;
  return mask;
}

/// Each bit of a mask repeated over `Repeat` bits: places of words or octets to places of bits.
template <int Repeat, int N>
ap_uint<Repeat * N> spread(const ap_uint<N>& mask) {
  const ap_uint<Repeat> none = 0, all = ~none;
  ap_uint<Repeat* N> bits = 0;
  for (int i = 0; i < N; ++i)
    bits.range(Repeat * i + Repeat - 1, Repeat * i) = mask[i] ? all : none;
  return bits;
}

}  // namespace espalier

#endif
