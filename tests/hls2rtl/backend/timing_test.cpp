// SPDX-License-Identifier: BSD-2-Clause-Patent
/// How many LUT6 levels things take.
#include "backend/timing.hpp"

#include <gtest/gtest.h>

#include "hwir/builder.hpp"

namespace espalier::backend {
namespace {

using hwir::Bits;
using hwir::Builder;
using hwir::Value;

class TimingTest : public testing::Test {
 protected:
  Value in(unsigned width) { return b.read(b.addInput("in", width), Value::constant(1, 1)); }
  int levels(const Value& v) {
    const Stages one_stage(b.module().nodes.size(), 0);
    Timing timing(b.module(), one_stage);
    for (hwir::NodeId id = 0; id < b.module().nodes.size(); id++) timing.compute(id);
    return timing.level(v, 0);
  }
  Value xorOf(std::vector<Value> all) {
    while (all.size() > 1) {
      all[0] = b.xorOf(all[0], all.back());
      all.pop_back();
    }
    return all[0];
  }
  std::vector<Value> pairs(unsigned n) {
    std::vector<Value> r;
    for (unsigned i = 0; i < n; i++) r.push_back(b.mux(in(1), in(16), Value(Bits(16))));
    return r;
  }
  Builder b{"m"};
};

TEST_F(TimingTest, SixBitsAreOneLut) {
  EXPECT_EQ(levels(xorOf(pairs(3))), 1);
  EXPECT_EQ(levels(xorOf(pairs(4))), 2);
  EXPECT_EQ(levels(xorOf({in(8), in(8), in(8), in(8), in(8), in(8)})), 1);
  EXPECT_EQ(levels(b.eq(in(6), Value::constant(6, 41))), 1);
  EXPECT_EQ(levels(b.eq(in(3), in(3))), 1);
}

TEST_F(TimingTest, AFourWayMuxIsOneLut) {
  const Value s = in(2);
  const Value low = b.mux(s.bit(0), in(32), in(32));
  const Value high = b.mux(s.bit(0), in(32), in(32));
  EXPECT_EQ(levels(b.mux(s.bit(1), high, low)), 1);
}

TEST_F(TimingTest, WideComparisonsAreTrees) {
  EXPECT_EQ(levels(b.eq(in(18), in(18))), 2);
  EXPECT_EQ(levels(b.eq(in(36), Value::constant(36, 0x912345678))), 2);
  EXPECT_EQ(levels(b.eq(in(128), in(128))), 4);
}

TEST_F(TimingTest, AddersAreOneCarryChain) {
  EXPECT_EQ(levels(b.add(in(32), in(32))), 1);
  EXPECT_EQ(levels(b.xorOf(b.add(in(32), in(32)), in(32))), 2);
  EXPECT_EQ(levels(b.ult(in(32), in(32))), 2);  // and a LUT that takes the carry
  EXPECT_EQ(levels(b.andOf(b.ult(in(32), in(32)), in(1))), 2);
}

TEST_F(TimingTest, AnEightInputRomIsTwoLevels) {
  const auto rom = b.addRom("square", [] {
    std::vector<Bits> words;
    for (unsigned i = 0; i < 256; i++) words.emplace_back(8, i * i);
    return words;
  }());
  const Value x = b.rom(rom, in(8));
  EXPECT_EQ(levels(x), 2);
  EXPECT_EQ(levels(b.xorOf(x, in(8))), 3);
}

TEST_F(TimingTest, BitsOfOneWordArriveOneByOne) {
  const Value x = in(64);
  const Value late = b.add(in(32), b.add(in(32), in(32)));
  const Value word = b.xorOf(x, late.zext(64));  // only the low half is late
  EXPECT_EQ(levels(word.slice(0, 32)), 3);
  EXPECT_LE(levels(word.slice(32, 32)), 1);
  EXPECT_LE(levels(b.xorOf(word.slice(40, 8), in(8))), 1);
}

TEST_F(TimingTest, AShiftByFourBitsIsTwoLevels) {
  EXPECT_EQ(levels(b.lshr(in(512), Value(Bits(5)).append(in(4)))), 2);
  EXPECT_EQ(levels(b.lshr(in(512), Value(Bits(5)).append(in(2)))), 1);
}

}  // namespace
}  // namespace espalier::backend
