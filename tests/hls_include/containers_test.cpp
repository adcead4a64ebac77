// SPDX-License-Identifier: BSD-2-Clause-Patent
// The csim view of streams and memories, and how payload structs lie in a word.
#include <fields.h>
#include <gtest/gtest.h>
#include <hls_stream.h>
#include <mem.h>

namespace {

enum Kind : unsigned char { kNone, kSome = 7 };

struct Inner {
  ap_uint<3> a;
  bool b;
  HLS_FIELDS(a, b)
};
struct Outer {
  ap_uint<5> head;
  Inner inner[2];
  Kind kind;
  ap_int<9> tail;
  HLS_FIELDS(head, inner, kind, tail)
};

static_assert(hls::width_of<Inner> == 4, "3 + 1");
static_assert(hls::width_of<Outer> == 5 + 2 * 4 + 8 + 9, "fields one after another");
static_assert(hls::width_of<ap_uint<577>> == 577, "a word is its own layout");

TEST(Fields, FirstFieldLowest) {
  Outer x = {3, {{1, true}, {6, false}}, kSome, -2};
  ap_uint<30> w = hls::pack(x);
  EXPECT_EQ(w.range(4, 0), 3);
  EXPECT_EQ(w.range(8, 5), 9);
  EXPECT_EQ(w.range(12, 9), 6);
  EXPECT_EQ(w.range(20, 13), 7);
  EXPECT_EQ(w.range(29, 21), 0x1fe);
}

TEST(Fields, UnpackUndoesPack) {
  for (unsigned i = 0; i < 30; ++i) {
    ap_uint<30> w = ap_uint<30>(1) << i;
    EXPECT_EQ(hls::pack(hls::unpack<Outer>(w)), w) << "bit " << i;
  }
}

TEST(Stream, KeepsOrderAndGrows) {
  hls::stream<Inner, 2> s;
  int written = 0, read = 0;
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < round % 7 + 1; ++i) s.write({ap_uint<3>(written++), false});
    for (int i = 0; i < round % 6 + 1 && !s.empty(); ++i) EXPECT_EQ(s.read().a, ap_uint<3>(read++));
  }
  while (!s.empty()) EXPECT_EQ(s.read().a, ap_uint<3>(read++));
  EXPECT_EQ(read, written);
}

TEST(Mem, StartsAsZerosAndRemembers) {
  hls::mem<ap_uint<128>, 16384, 3> m;
  EXPECT_TRUE(m.read(16383) == 0);
  m.write(16383, 5);
  m.write(0, 6);
  EXPECT_EQ(m.read(16383), 5);
  EXPECT_EQ(m.read(0), 6);
  EXPECT_TRUE((std::is_same<decltype(m)::address, ap_uint<14>>::value));
  EXPECT_TRUE((std::is_same<hls::mem<ap_uint<1>, 5>::address, ap_uint<3>>::value));
}

}  // namespace
