// SPDX-License-Identifier: BSD-2-Clause-Patent
// The width and conversion rules of Vitis HLS that the sources in hls/ rely on.  The same file runs
// against our shim (clang) and against the vendor's published ap_int.h (any compiler), so the shim
// can't drift from it.
#include <ap_int.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <type_traits>

namespace {

using wide = __int128;

template <class A, class B>
constexpr bool same = std::is_same<A, B>::value;
template <class T>
T val();  // declared only

// --- widths and signs of results
using u4 = ap_uint<4>;
using u8 = ap_uint<8>;
using s4 = ap_int<4>;
using s8 = ap_int<8>;
static_assert(same<decltype(val<u8>() + val<u4>()), ap_uint<9>>, "sum: widest + 1");
static_assert(same<decltype(val<s8>() + val<s4>()), ap_int<9>>, "signed sum");
static_assert(same<decltype(val<u8>() + val<s4>()), ap_int<10>>,
              "mixed: the unsigned one counts a bit more");
static_assert(same<decltype(val<u8>() - val<u4>()), ap_int<9>>, "a difference is signed");
static_assert(same<decltype(val<u8>() - val<s4>()), ap_int<10>>, "mixed difference");
static_assert(same<decltype(val<u8>() * val<u4>()), ap_uint<12>>, "product: both widths");
static_assert(same<decltype(val<u8>() * val<s4>()), ap_int<12>>, "mixed product");
static_assert(same<decltype(val<u8>() & val<u4>()), ap_uint<8>>, "bitwise: the wider");
static_assert(same<decltype(val<u8>() | val<s4>()), ap_int<9>>, "mixed bitwise");
static_assert(same<decltype(val<u4>() ^ val<s8>()), ap_int<8>>, "mixed bitwise, the signed wider");
static_assert(same<decltype(val<u8>() / val<u4>()), ap_uint<8>>, "quotient: the dividend's");
static_assert(same<decltype(val<u8>() / val<s4>()), ap_int<9>>, "a signed divisor adds a bit");
static_assert(same<decltype(val<u8>() % val<u4>()), ap_uint<4>>, "remainder: the narrower");
static_assert(same<decltype(val<s8>() % val<u4>()), ap_int<5>>, "signed remainder");
static_assert(same<decltype(val<u8>() << 3), u8>, "shifts keep the width");
static_assert(same<decltype(val<s8>() >> val<u4>()), s8>, "shifts keep the sign");
static_assert(same<decltype(~val<u8>()), u8>, "complement keeps the width");
static_assert(same<decltype(-val<u8>()), ap_int<9>>, "negation adds a bit");
static_assert(same<decltype(-val<s8>()), ap_int<9>>, "negation of a signed value too");
static_assert(same<decltype(val<u8>() + 1), ap_int<33>>, "int counts 32 bits");
static_assert(same<decltype(val<u8>() + 1u), ap_uint<33>>, "unsigned counts 32 bits");
static_assert(same<decltype(val<u8>() + 1ul), ap_uint<65>>, "long counts 64 bits");
static_assert(same<decltype(val<u8>() & true), u8>, "bool counts one bit");
static_assert(same<decltype(val<u8>() == val<s8>()), bool>, "comparisons give bool");
static_assert(same<decltype(val<ap_uint<300>>() + val<ap_uint<512>>()), ap_uint<513>>,
              "wide ones alike");

// --- values against exact arithmetic
template <class T>
wide exact(const T& x) {
  return wide(x.to_int64());
}

template <int W, bool S>
wide wrap(wide x) {
  wide m = (wide(1) << W) - 1;
  x &= m;
  return S && (x >> (W - 1)) ? x - m - 1 : x;
}

template <class A, class B, int W1, bool S1, int W2, bool S2>
void check_pair(std::mt19937_64& rng) {
  for (int round = 0; round < 200; ++round) {
    A a = A(static_cast<long long>(rng() >> (rng() % 64)));
    B b = B(static_cast<long long>(rng() >> (rng() % 64)));
    wide x = exact(a), y = exact(b);
    ASSERT_EQ(x, (wrap<W1, S1>(x)));
    EXPECT_EQ(exact(a + b), x + y);
    EXPECT_EQ(exact(a - b), x - y);
    EXPECT_EQ(exact(a * b), x * y);
    EXPECT_EQ(exact(a & b), (x & y));
    EXPECT_EQ(exact(a | b), (x | y));
    EXPECT_EQ(exact(a ^ b), (x ^ y));
    EXPECT_EQ(exact(~a), (wrap<W1, S1>(~x)));
    EXPECT_EQ(exact(-a), -x);
    if (S1 == S2 &&
        y != 0) {  // the published header's mixed remainder is not exact: not in the dialect
      EXPECT_EQ(exact(a / b), x / y);
      EXPECT_EQ(exact(a % b), x % y);
    }
    EXPECT_EQ(a == b, x == y);
    EXPECT_EQ(a != b, x != y);
    EXPECT_EQ(a < b, x < y);
    EXPECT_EQ(a <= b, x <= y);
    EXPECT_EQ(a > b, x > y);
    EXPECT_EQ(a >= b, x >= y);
    EXPECT_EQ(!a, x == 0);
    A c = a;
    c += b;
    EXPECT_EQ(exact(c), (wrap<W1, S1>(x + y)));
    c -= a;
    EXPECT_EQ(exact(c), (wrap<W1, S1>(y)));
    c = a;
    c *= b;
    EXPECT_EQ(exact(c), (wrap<W1, S1>(x * y)));
    c = a;
    c ^= A(b);
    EXPECT_EQ(exact(c), (wrap<W1, S1>(x ^ y)));
    c = b;  // assignment cuts, or extends by the value's own sign
    EXPECT_EQ(exact(c), (wrap<W1, S1>(y)));
    EXPECT_EQ(exact(c++), (wrap<W1, S1>(y)));
    EXPECT_EQ(exact(c), (wrap<W1, S1>(y + 1)));
    int n = int(rng() % (W1 + 4));
    wide far = x < 0 ? -1 : 0;
    EXPECT_EQ(exact(a << n), n < W1 ? (wrap<W1, S1>(wide(uint64_t(x)) << n)) : 0);
    EXPECT_EQ(exact(a >> n), n < W1 ? x >> n : far);
    EXPECT_EQ(exact(a << -n), exact(a >> n)) << "a negative amount shifts the other way";
    EXPECT_EQ(exact(a >> ap_uint<7>(n)), exact(a >> n));
    EXPECT_EQ(exact(a << ap_int<8>(-n)), exact(a >> n));
  }
}

TEST(ApInt, ValuesAreExact) {
  std::mt19937_64 rng(20260101);
  check_pair<ap_uint<1>, ap_uint<13>, 1, false, 13, false>(rng);
  check_pair<ap_uint<8>, ap_uint<8>, 8, false, 8, false>(rng);
  check_pair<ap_uint<8>, ap_int<4>, 8, false, 4, true>(rng);
  check_pair<ap_int<5>, ap_uint<17>, 5, true, 17, false>(rng);
  check_pair<ap_int<9>, ap_int<2>, 9, true, 2, true>(rng);
  check_pair<ap_uint<31>, ap_int<31>, 31, false, 31, true>(rng);
  check_pair<ap_int<31>, ap_uint<14>, 31, true, 14, false>(rng);
}

TEST(ApInt, CIntegersJoinIn) {
  ap_uint<8> a = 250;
  EXPECT_EQ((a + 10).to_int(), 260);
  EXPECT_EQ((10 + a).to_int(), 260);
  EXPECT_EQ((a - 251).to_int(), -1);
  EXPECT_EQ((5 - a).to_int(), -245);
  EXPECT_TRUE(a == 250 && 250 == a && a != 251 && a < 251 && 251 > a);
  EXPECT_FALSE(a < -1)
      << "by value, not by C's conversions (below 32 bits: no further is the vendor's"
         " header consistent)";
  a += 10;
  EXPECT_EQ(a.to_int(), 4) << "wraps";
  EXPECT_EQ(ap_uint<8>(-1).to_int(), 255);
  EXPECT_EQ(ap_int<8>(200).to_int(), -56);
  EXPECT_EQ(ap_uint<16>(ap_int<8>(-1)).to_int(), 0xffff) << "extended by its own sign";
  EXPECT_EQ(ap_int<16>(ap_uint<8>(255)).to_int(), 255);
  int table[4] = {1, 2, 3, 4};
  EXPECT_EQ(table[ap_uint<2>(3)], 4);
  EXPECT_EQ(ap_uint<3>(5) ? 1 : 0, 1);
}

TEST(ApInt, WideWords) {
  ap_uint<512> a = 1;
  a <<= 511;
  EXPECT_TRUE(a[511]);
  EXPECT_EQ((a >> 511).to_int(), 1);
  EXPECT_TRUE((a << 1) == 0);
  EXPECT_TRUE((a >> 512) == 0);
  EXPECT_TRUE((a << ap_uint<10>(512)) == 0) << "an amount beyond the width";
  EXPECT_TRUE((a - 1) < a);
  ap_uint<512> b = ap_uint<512>(a - 1) + 1;
  EXPECT_TRUE(a == b);
  EXPECT_TRUE(ap_uint<512>(a + a) == 0) << "the sum has a bit more, the word does not";
  EXPECT_EQ((a + a).length(), 513);
  ap_uint<128> lane = 0;
  lane = ~lane;
  EXPECT_TRUE(lane.and_reduce());
  EXPECT_FALSE(lane.xor_reduce());
  EXPECT_EQ(ap_int<128>(-1) >> 127, -1);
  EXPECT_EQ((lane.range(127, 64).to_uint64()), ~0ull);
}

TEST(ApInt, Slices) {
  ap_uint<16> x = 0xabcd;
  EXPECT_EQ(x.range(7, 0), 0xcd);
  EXPECT_EQ(x(11, 4), 0xbc);
  ap_uint<8> y = x.range(11, 4);
  EXPECT_EQ(y, 0xbc);
  x.range(7, 4) = 0x12;  // only the low bits go in
  EXPECT_EQ(x, 0xab2d);
  x(15, 8) = x(7, 0);
  EXPECT_EQ(x, 0x2d2d);
  x[0] = 0;
  x[1] = 2;  // anything but zero
  EXPECT_EQ(x, 0x2d2e);
  x[15] = x[1];
  EXPECT_EQ(x, 0xad2e);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(x.range(4 * i + 3, 4 * i), (0xad2e >> (4 * i)) & 15);
  const ap_uint<16> z = x;
  EXPECT_EQ(z.range(15, 12), 0xa);
  EXPECT_FALSE(z[0]);
  EXPECT_EQ((x.range(3, 0) + x.range(7, 4)).length(), 17) << "a slice counts with its word's width";
  EXPECT_EQ(x.range(3, 0) ^ ap_uint<4>(15), 1);
  EXPECT_EQ(ap_uint<32>(z.range(15, 8)), 0xad);
}

TEST(ApInt, Concatenations) {
  ap_uint<8> a = 0x12;
  ap_uint<4> b = 0x3;
  ap_uint<16> w = 0xabcd;
  EXPECT_EQ((ap_uint<12>((a, b))), 0x123);
  EXPECT_EQ((ap_uint<20>((a, b, a))), 0x12312);
  EXPECT_EQ((ap_uint<12>(a.concat(b))), 0x123);
  EXPECT_EQ((ap_uint<12>((a, w.range(7, 4)))), 0x12c) << "a slice goes in with its own length";
  EXPECT_EQ((ap_uint<6>((w[0], b, w[1]))), 0x26);
  EXPECT_EQ((ap_uint<40>((a, 5))), 0x1200000005ull) << "an int goes in with 32 bits";
  (a, b) = ap_uint<12>(0x9c5);
  EXPECT_EQ(a, 0x9c);
  EXPECT_EQ(b, 0x5);
  (a, w.range(11, 8)) = ap_uint<12>(0xfed);
  EXPECT_EQ(a, 0xfe);
  EXPECT_EQ(w, 0xadcd);
}

}  // namespace
