// SPDX-License-Identifier: BSD-2-Clause-Patent
/// What the builder must simplify, and what it must leave wide.
#include "hwir/builder.hpp"

#include <gtest/gtest.h>

#include "hwir/error.hpp"
#include "hwir/interpreter.hpp"

namespace espalier::hwir {
namespace {

class BuilderTest : public testing::Test {
 protected:
  Value fresh(unsigned width) { return b.read(b.addInput("in", width), Value::constant(1, 1)); }
  Value k(unsigned width, uint64_t v) { return Value::constant(width, v); }
  size_t nodes() const { return b.module().nodes.size(); }
  Builder b{"m"};
};

TEST_F(BuilderTest, SlicesAndConcatenationsAreNoNodes) {
  const Value x = fresh(32);
  const size_t before = nodes();
  EXPECT_EQ(x.slice(0, 8).append(x.slice(8, 24)), x);
  EXPECT_EQ(b.orOf(x.slice(0, 8).zext(32), x.slice(8, 24).zext(32).shlConst(8)), x);
  EXPECT_EQ(b.andOf(x, k(32, 0xff00)), x.slice(8, 8).zext(32).shlConst(8).slice(0, 32));
  EXPECT_EQ(b.shl(x, k(6, 33)), k(32, 0));
  EXPECT_EQ(nodes(), before);
}

TEST_F(BuilderTest, EqualNodesAreMadeOnce) {
  const Value x = fresh(16), y = fresh(16);
  EXPECT_EQ(b.add(x, y), b.add(y, x));
  EXPECT_EQ(b.xorOf(x, y), b.xorOf(y, x));
  EXPECT_NE(b.sub(x, y), b.sub(y, x));
}

TEST_F(BuilderTest, PathPredicatesReduce) {
  const Value e = fresh(1), c = fresh(1), d = fresh(1);
  const Value ec = b.andOf(e, c);
  const Value enc = b.andOf(e, b.notOf(c));
  EXPECT_EQ(b.orOf(ec, enc), e);
  EXPECT_EQ(b.orOf(e, ec), e);
  EXPECT_EQ(b.andOf(ec, enc), k(1, 0));
  EXPECT_EQ(b.orOf(c, enc), b.orOf(c, e));
  // Three ways out of one block.
  const Value encd = b.andOf(enc, d);
  const Value encnd = b.andOf(enc, b.notOf(d));
  EXPECT_EQ(b.orOf(b.orOf(ec, encd), encnd), e);
  EXPECT_EQ(b.andOf(e, b.orOf(ec, d)), b.andOf(e, b.orOf(c, d)));
}

TEST_F(BuilderTest, MuxesOfTheSameConditionMerge) {
  const Value c = fresh(1), d = fresh(1), x = fresh(32), y = fresh(32);
  EXPECT_EQ(b.mux(c, x, x), x);
  EXPECT_EQ(b.mux(b.notOf(c), x, y), b.mux(c, y, x));
  EXPECT_EQ(b.mux(c, b.mux(c, x, y), y), b.mux(c, x, y));
  EXPECT_EQ(b.mux(c, x, b.mux(d, x, y)), b.mux(b.orOf(c, d), x, y));
  EXPECT_EQ(b.mux(c, b.mux(d, x, y), y), b.mux(b.andOf(c, d), x, y));
}

TEST_F(BuilderTest, PhiDropsWhatAllPathsShare) {
  const Value e = fresh(1), c = fresh(1), x = fresh(32), y = fresh(32);
  const Value merged = b.phi({{b.andOf(e, c), x}, {b.andOf(e, b.notOf(c)), y}});
  EXPECT_EQ(merged, b.mux(c, x, y));
  EXPECT_EQ(b.phi({{b.andOf(e, c), x}, {b.andOf(e, b.notOf(c)), x}}), x);
}

TEST_F(BuilderTest, AMuxKeepsEqualPartsOut) {
  const Value c = fresh(1), x = fresh(32), y = fresh(32), z = fresh(32);
  const Value r = b.mux(c, x.append(z), y.append(z));
  EXPECT_EQ(r.slice(32, 32), z);
  EXPECT_EQ(r.slice(0, 32), b.mux(c, x, y));
}

TEST_F(BuilderTest, AMaskOfOneBitIsAMux) {
  const Value c = fresh(1), x = fresh(128);
  EXPECT_EQ(b.andOf(c.sext(128), x), b.mux(c, x, k(128, 0)));
}

TEST_F(BuilderTest, ShiftedWideWordsStayWide) {
  Value sum = k(256, 0);
  const Value x = fresh(128);
  for (unsigned i = 0; i < 8; i++) sum = b.xorOf(sum, x.zext(256).shlConst(i * 3));
  unsigned xors = 0;
  for (const Node& n : b.module().nodes) xors += n.op == Op::kXor;
  EXPECT_EQ(xors, 7U);
}

TEST_F(BuilderTest, ArithmeticNarrows) {
  const Value x = fresh(4);
  const Value sum = b.add(x.zext(32), k(32, 5));
  EXPECT_EQ(b.module().nodes.back().width, 5U);
  EXPECT_EQ(sum.slice(5, 27), k(27, 0));
  EXPECT_EQ(b.mul(x.zext(32), k(32, 8)), x.zext(32).shlConst(3));
  EXPECT_EQ(b.ult(x.zext(32), k(32, 8)), b.notOf(x.bit(3)));
  EXPECT_EQ(b.ult(k(32, 7), x.zext(32)), x.bit(3));
  EXPECT_EQ(b.ult(x, k(4, 0)), k(1, 0));
}

TEST_F(BuilderTest, AWideVariableShiftIsSplit) {
  const Value x = fresh(512), amount = fresh(9);
  b.shl(x, amount);
  unsigned shifts = 0;
  for (const Node& n : b.module().nodes) shifts += n.op == Op::kShl;
  EXPECT_EQ(shifts, 2U);  // 4 + 4 bits; the ninth is a mux
}

TEST(Optimise, RegisterBitsThatNeverChangeVanish) {
  Builder b("m");
  const InputId in = b.addInput("in", 8);
  const OutputId out = b.addOutput("out", 8);
  // A state of three values that only ever takes two, and a register only it could set.
  const RegisterId state = b.addRegister("state", 8);
  const RegisterId never = b.addRegister("never", 8);
  const Value go = b.notOf(b.empty(in));
  const Value x = b.read(in, go);
  const Value two = b.eq(b.reg(state), Value::constant(8, 2));
  b.setNext(state,
            b.mux(go, b.mux(two, Value::constant(8, 2), Value::constant(8, 1)), b.reg(state)));
  b.setNext(never, b.mux(two, x, b.reg(never)));
  b.write(out, go, b.xorOf(x, b.xorOf(b.reg(never), b.reg(state))));
  const Module m = b.finish();
  ASSERT_EQ(m.registers.size(), 1U);
  EXPECT_EQ(m.registers[0].name, "state");
  EXPECT_EQ(m.registers[0].width, 1U);
}

TEST(Optimise, UnusedBitsAreNotComputed) {
  Builder b("m");
  const InputId in = b.addInput("in", 64);
  const OutputId out = b.addOutput("out", 8);
  const RegisterId dead = b.addRegister("dead", 64);
  const Value go = b.notOf(b.empty(in));
  const Value x = b.read(in, go);
  const Value sum = b.add(x, x.lshrConst(1));
  b.setNext(dead, b.add(b.reg(dead), sum));
  b.write(out, go, sum.slice(0, 8));
  const Module m = b.finish();
  EXPECT_TRUE(m.registers.empty());
  for (const Node& n : m.nodes) {
    if (n.op == Op::kAdd) EXPECT_EQ(n.width, 8U);
  }
}

TEST(Optimise, AMemoryAddressedByItsOwnDataIsRefused) {
  Builder b("m", {"m.cpp", 7});
  const OutputId out = b.addOutput("out", 4);
  const MemoryId mem = b.addMemory("t", 4, 16, 1, Hazard::kForbid);
  const Value one = Value::constant(1, 1);
  const Value x = b.memRead(mem, one, Value::constant(4, 0));
  b.memRead(mem, x.bit(0), x);
  b.write(out, one, x);
  try {
    b.finish();
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("m.cpp:7"), std::string::npos);
  }
}

TEST(Interpreter, CountsPopsAndReadsMemoryBeforeWriting) {
  Builder b("m");
  const InputId in = b.addInput("in", 4);
  const OutputId out = b.addOutput("out", 12);
  const RegisterId n = b.addRegister("n", 8);
  const MemoryId mem = b.addMemory("last", 8, 16, 1, Hazard::kForbid);
  const Value go = b.notOf(b.empty(in));
  const Value x = b.read(in, go);
  const Value old = b.memRead(mem, go, x);
  b.memWrite(mem, go, x, b.add(b.reg(n), Value::constant(8, 1)));
  b.setNext(n, b.mux(go, b.add(b.reg(n), Value::constant(8, 1)), b.reg(n)));
  b.write(out, go, x.append(old));
  const Module m = b.finish();
  Interpreter run(m);
  for (uint64_t v : {3, 5, 3, 3}) run.input(0).push_back(Bits(4, v));
  for (int i = 0; i < 6; i++) run.step();
  ASSERT_EQ(run.output(0).size(), 4U);
  const uint64_t expected[] = {0x003, 0x005, 0x013, 0x033};
  for (int i = 0; i < 4; i++) EXPECT_EQ(run.output(0)[i].low64(), expected[i]) << i;
  EXPECT_EQ(run.word(0, 3).low64(), 4U);
}

TEST(Dump, IsStable) {
  Builder b("m");
  const InputId in = b.addInput("in", 8);
  const OutputId out = b.addOutput("out", 16);
  b.setLoc({"m.cpp", 3});
  const Value go = b.notOf(b.empty(in));
  const Value x = b.read(in, go);
  b.write(out, go, b.add(x, Value::constant(8, 4)).append(x.bit(7).sext(8)));
  EXPECT_EQ(dump(b.finish()),
            "module m\n"
            "  n0:1 = empty in  # m.cpp:3\n"
            "  n1:1 = not n0  # m.cpp:3\n"
            "  n2:8 = streamread in  # m.cpp:3\n"
            "  n3:6 = add n2[7:2], 6'h1  # m.cpp:3\n"
            "input in:8 pop n1\n"
            "output out:16 push n1 <= {8{n2[7]}, n3, n2[1:0]}\n");
}

}  // namespace
}  // namespace espalier::hwir
