// SPDX-License-Identifier: BSD-2-Clause-Patent
// GF(2^128) as GCM has it (SP 800-38D section 6.3), in the order that costs nothing.
//
// GCM writes the coefficient of x^0 as the most significant bit of the first octet.  Read a block
// as a big-endian number (swap_bytes of its wire order) and x^i is bit 127 - i: the polynomial
// stands there in reverse, and no octet has its bits reversed.  A carry-less product of two
// reversed polynomials is the reverse of their product, so all that changes is that x^i of the
// 255-bit product is bit 254 - i, and that multiplication by x is a shift to the right.
//
// A multiplication is three parts, because only the middle one is not linear:
//   factor   128 bits to 9 words of 32: Karatsuba, twice
//   times    9 products of 32 x 32 bits
//   reduce   9 products to 128 bits: Karatsuba's sums and the reduction
// GHASH adds products of several lanes before it reduces them once, and keeps an unreduced product
// from one clock to the next.
#ifndef ESPALIER_HLS_CRYPTO_GF128_H
#define ESPALIER_HLS_CRYPTO_GF128_H

#include "types.h"

namespace espalier {
namespace gf128 {

constexpr int kWords = 9;

struct Factor {
  ap_uint<32> word[kWords];
};
struct Product {
  ap_uint<63> word[kWords];
};

/// 64 bits to 3 words: low, high, low + high.
inline void split(const ap_uint<64>& x, ap_uint<32>* word) {
  const ap_uint<32> low = x.range(31, 0), high = x.range(63, 32);
  word[0] = low;
  word[1] = high;
  word[2] = low ^ high;
}

inline Factor factor(const Block& x) {
  const ap_uint<64> low = x.range(63, 0), high = x.range(127, 64);
  Factor f;
  split(low, f.word);
  split(high, f.word + 3);
  split(low ^ high, f.word + 6);
  return f;
}

/// The sum of six, of which some may be the constant zero: one LUT a bit.
inline ap_uint<63> sum6(const ap_uint<63>* x) {
  return (x[0] ^ x[1]) ^ ((x[2] ^ x[3]) ^ (x[4] ^ x[5]));
}
inline ap_uint<63> sum36(const ap_uint<63>* x) {
  ap_uint<63> part[6];
  for (int i = 0; i < 6; ++i) part[i] = sum6(x + 6 * i);
  return sum6(part);
}

/// `x` if bit i of `a`, shifted into place.
inline ap_uint<63> partial(const ap_uint<32>& a, const ap_uint<32>& x, int i) {
  return ap_uint<63>(a[i] ? x : ap_uint<32>(0)) << i;
}

/// The carry-less product a b.  Three partial products fill a LUT; 3 levels.
inline ap_uint<63> times(const ap_uint<32>& a, const ap_uint<32>& b) {
  ap_uint<63> part[12];
  for (int i = 0; i < 10; ++i) {
    part[i] = partial(a, b, 3 * i) ^ partial(a, b, 3 * i + 1) ^ partial(a, b, 3 * i + 2);
  }
  part[10] = partial(a, b, 30) ^ partial(a, b, 31);
  part[11] = 0;
  return sum6(part) ^ sum6(part + 6);
}

inline Product times(const Factor& a, const Factor& b) {
  Product p;
  for (int i = 0; i < kWords; ++i) p.word[i] = times(a.word[i], b.word[i]);
  return p;
}

/// The sum of three products, a[0] b[0] + a[1] b[1] + a[2] b[2], in the 3 levels of one.
inline Product sum_of_products(const Factor* a, const Factor* b) {
  Product p;
  for (int w = 0; w < kWords; ++w) {
    ap_uint<63> part[36];
    for (int i = 0; i < 36; ++i) part[i] = 0;
    for (int i = 0; i < 32; ++i) {
      ap_uint<32> lanes = 0;
      for (int k = 0; k < 3; ++k) lanes ^= a[k].word[w][i] ? b[k].word[w] : ap_uint<32>(0);
      part[i] = ap_uint<63>(lanes) << i;
    }
    p.word[w] = sum36(part);
  }
  return p;
}

inline Factor operator^(const Factor& a, const Factor& b) {
  Factor f;
  for (int i = 0; i < kWords; ++i) f.word[i] = a.word[i] ^ b.word[i];
  return f;
}
inline Product operator^(const Product& a, const Product& b) {
  Product p;
  for (int i = 0; i < kWords; ++i) p.word[i] = a.word[i] ^ b.word[i];
  return p;
}

/// The 127-bit product of two 64-bit polynomials from the products of their splits.
inline ap_uint<127> join(const ap_uint<63>* word) {
  const ap_uint<127> low = word[0], high = word[1], both = word[2] ^ (word[0] ^ word[1]);
  return (low ^ (high << 64)) ^ (both << 32);
}

/// The residue modulo x^128 + x^7 + x^2 + x + 1.
inline Block reduce(const Product& p) {
  const ap_uint<255> low = join(p.word), high = join(p.word + 3), both = join(p.word + 6);
  const ap_uint<255> product = (low ^ (high << 128)) ^ ((both ^ (low ^ high)) << 64);
  // x^0..x^127 of the product, and x^128..x^254 as if they were x^0..x^126.
  const Block kept = product.range(254, 127);
  const Block excess = product.range(126, 0) << 1;
  // Adding excess * (x^7 + x^2 + x + 1) exceeds x^127 once more, by up to 6 bits (x by none).
  const Block again = (excess << 126) ^ (excess << 121);
  const Block fold = excess ^ again;
  return (kept ^ fold) ^ ((fold >> 1) ^ (fold >> 2) ^ (fold >> 7));
}

}  // namespace gf128
}  // namespace espalier

#endif
