// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "crypto/gf128.h"

#include <gtest/gtest.h>

#include "bytes.h"
#include "gcm_reference.h"

namespace espalier::test {
namespace {

Block number(const Bytes& block) {
  return swap_bytes(to_word<128>(block.data()));
}
gf128::Factor factor(const Bytes& block) {
  return gf128::factor(number(block));
}
Bytes residue(const gf128::Product& product) {
  return to_bytes<128>(swap_bytes(gf128::reduce(product)));
}

TEST(SwapBytes, ReversesOctets) {
  EXPECT_EQ(swap_bytes(ap_uint<32>(0x01020304u)), ap_uint<32>(0x04030201u));
  EXPECT_EQ(swap_bytes(ap_uint<8>(0x5a)), ap_uint<8>(0x5a));
}

TEST(Gf128, SingleBitsMultiplyLikeThePolynomials) {
  for (int i = 0; i < 128; ++i) {
    for (int j = 0; j < 128; ++j) {
      Bytes a(16, 0), b(16, 0);
      a[i / 8] = 0x80 >> i % 8;
      b[j / 8] = 0x80 >> j % 8;
      ASSERT_EQ(residue(gf128::times(factor(a), factor(b))), gf128_times(a, b)) << i << " " << j;
    }
  }
}

TEST(Gf128, ProductsAddBeforeTheReduction) {
  const unsigned seed = 2;
  Random random(seed);
  for (int trial = 0; trial < 200; ++trial) {
    gf128::Factor a[3], b[3];
    Bytes expected(16, 0);
    for (int k = 0; k < 3; ++k) {
      const Bytes x = random_bytes(random, 16), y = random_bytes(random, 16),
                  xy = gf128_times(x, y);
      a[k] = factor(x);
      b[k] = factor(y);
      for (int i = 0; i < 16; ++i) expected[i] ^= xy[i];
    }
    EXPECT_EQ(residue(gf128::sum_of_products(a, b)), expected) << "seed " << seed;
  }
}

}  // namespace
}  // namespace espalier::test
