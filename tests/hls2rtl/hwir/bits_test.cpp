// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "hwir/bits.hpp"

#include <gtest/gtest.h>

#include <random>

namespace espalier::hwir {
namespace {

using U128 = unsigned __int128;

Bits make(unsigned width, U128 v) {
  const uint64_t words[2] = {static_cast<uint64_t>(v), static_cast<uint64_t>(v >> 64)};
  return Bits::fromWords(width, words);
}

TEST(Bits, AgreesWithNativeArithmeticAtEveryWidth) {
  std::mt19937_64 rng(1);
  for (unsigned width = 1; width <= 128; width++) {
    const U128 mask = width == 128 ? ~U128{0} : (U128{1} << width) - 1;
    for (int i = 0; i < 20; i++) {
      const U128 x = ((U128{rng()} << 64) | rng()) & mask;
      const U128 y = ((U128{rng()} << 64) | rng()) & mask;
      const Bits a = make(width, x);
      const Bits b = make(width, y);
      EXPECT_EQ(a + b, make(width, (x + y) & mask)) << width;
      EXPECT_EQ(a - b, make(width, (x - y) & mask)) << width;
      EXPECT_EQ(a * b, make(width, (x * y) & mask)) << width;
      EXPECT_EQ(~a, make(width, ~x & mask)) << width;
      EXPECT_EQ(a.ult(b), x < y) << width;
      const bool sx = x >> (width - 1) & 1;
      const bool sy = y >> (width - 1) & 1;
      EXPECT_EQ(a.slt(b), sx != sy ? sx : x < y) << width;
      const unsigned k = rng() % width;
      EXPECT_EQ(a.shl(k), make(width, (x << k) & mask)) << width;
      EXPECT_EQ(a.lshr(k), make(width, x >> k)) << width;
      EXPECT_EQ(a.slice(0, k).append(a.slice(k, width - k)), a) << width << " cut at " << k;
    }
  }
}

TEST(Bits, ShiftsBeyondTheWidthGiveZero) {
  EXPECT_TRUE(Bits::ones(70).shl(70).isZero());
  EXPECT_TRUE(Bits::ones(70).lshr(UINT64_MAX).isZero());
}

TEST(Bits, PrintsWithoutLeadingZeros) {
  EXPECT_EQ(Bits(9, 0x1f0).hex(), "1f0");
  EXPECT_EQ(Bits(128, 0).hex(), "0");
  EXPECT_EQ(Bits(0).hex(), "0");
}

}  // namespace
}  // namespace espalier::hwir
