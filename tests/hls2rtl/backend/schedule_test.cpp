// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "backend/schedule.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "backend/emit.hpp"
#include "hwir/builder.hpp"
#include "hwir/error.hpp"

namespace espalier::backend {
namespace {

using hwir::Bits;
using hwir::Builder;
using hwir::Hazard;
using hwir::Module;
using hwir::Value;

class ScheduleTest : public testing::Test {
 protected:
  Value in(unsigned width, const std::string& name = "in") {
    const auto id = b.addInput(name, width);
    return b.read(id, b.notOf(b.empty(id)));
  }
  void out(const Value& v) { b.write(b.addOutput("out", v.width()), one, v); }
  /// `x` through n additions that can't be merged: n levels.
  Value deep(Value x, int n) {
    for (int i = 0; i < n; i++)
      x = b.xorOf(b.add(x, x.lshrConst(3)), x.shlConst(5)).slice(0, x.width());
    return x;
  }
  Schedule run(ScheduleOptions options = {}) { return schedule(m = b.finish(), options); }
  std::string error(ScheduleOptions options = {}) {
    try {
      run(options);
    } catch (const hwir::Error& e) {
      return e.what();
    }
    return "no error";
  }
  const Value one = Value::constant(1, 1);
  Builder b{"m", {"m.cpp", 3}};
  Module m;
};

TEST_F(ScheduleTest, FeedForwardLogicIsCutAtTheBudget) {
  out(deep(in(32), 6));  // two levels a turn
  const Schedule s = run({4, 5});
  EXPECT_EQ(s.stages, 3);
  for (int levels : s.levels) EXPECT_LE(levels, 4);
}

TEST_F(ScheduleTest, ARegisterAndItsNextValueShareAStage) {
  const auto sum = b.addRegister("sum", 32);
  const Value x = deep(in(32), 4);
  b.setNext(sum, b.add(b.reg(sum), x));
  out(b.reg(sum));
  const Schedule s = run();
  ASSERT_EQ(s.recurrences.size(), 1U);
  EXPECT_EQ(s.recurrences[0].registers, std::vector<std::string>{"sum"});
  EXPECT_EQ(s.recurrences[0].stage, 2);
  EXPECT_EQ(s.reg[0], 2);
}

TEST_F(ScheduleTest, ATooDeepRecurrenceNamesStateLineAndDepth) {
  const auto sum = b.addRegister("sum", 32, {"m.cpp", 17});
  b.setNext(sum, b.xorOf(deep(b.reg(sum), 4), in(32)));
  out(b.reg(sum));
  const std::string e = error();
  EXPECT_NE(e.find("m.cpp:17"), std::string::npos) << e;
  EXPECT_NE(e.find("sum"), std::string::npos) << e;
  EXPECT_NE(e.find("8 LUT levels, 5 are allowed"), std::string::npos) << e;
}

TEST_F(ScheduleTest, PopsAreDecidedInTheFirstStage) {
  const auto gate = b.addInput("gate", 32);
  const auto data = b.addInput("data", 8);
  const Value g = b.read(gate, b.notOf(b.empty(gate)));
  const Value open = b.eq(deep(g, 4), Value(Bits(32)));
  b.read(data, b.andOf(open, b.notOf(b.empty(data))));
  out(b.read(data, Value::constant(1, 0)));
  const std::string e = error();
  EXPECT_NE(e.find("decides about a pop"), std::string::npos) << e;
  EXPECT_EQ(error({4, 12}), "no error");
}

TEST_F(ScheduleTest, MemoriesAreReadAndWrittenInOneStage) {
  const auto mem = b.addMemory("table", 16, 64, 2, Hazard::kForbid);
  const Value key = in(6, "key");
  const Value word = deep(in(16, "word"), 3);
  const Value old = b.memRead(mem, one, key);
  b.memWrite(mem, one, key, word);
  out(old);
  const Schedule s = run();
  EXPECT_EQ(s.mem_read[0], s.mem_write[0]);
  EXPECT_GE(s.mem_read[0], 1);              // the word isn't ready before
  EXPECT_EQ(s.push[0], s.mem_read[0] + 2);  // two cycles to the data
}

TEST_F(ScheduleTest, AddressesTravelInsteadOfData) {
  // Two tables of 128 bits, the second used six stages after the first.
  const auto first = b.addMemory("first", 128, 256, 3, Hazard::kForbid);
  const auto second = b.addMemory("second", 128, 256, 3, Hazard::kForbid);
  const Value slot = in(8);
  const Value x = deep(b.memRead(first, one, slot).slice(0, 32), 12);
  out(b.xorOf(b.memRead(second, one, slot), x.zext(128)));
  const Schedule s = run();
  EXPECT_EQ(s.mem_read[1] + 3, s.push[0]);
  EXPECT_LT(flipFlops(m, s).pipeline, 128 * 4 + 40 * s.stages);
}

TEST_F(ScheduleTest, AWriteThatDependsOnItsReadNeedsAPolicy) {
  for (const Hazard hazard : {Hazard::kForbid, Hazard::kPromise}) {
    Builder c("m");
    const auto id = c.addInput("in", 6);
    const Value key = c.read(id, c.notOf(c.empty(id)));
    const auto mem = c.addMemory("count", 16, 64, 2, hazard, {"m.cpp", 5});
    const Value old = c.memRead(mem, one, key);
    c.memWrite(mem, one, key, c.add(old, Value::constant(16, 1)));
    c.write(c.addOutput("out", 16), one, old);
    const Module module = c.finish();
    if (hazard == Hazard::kForbid) {
      try {
        schedule(module, {});
        FAIL();
      } catch (const hwir::Error& e) {
        EXPECT_NE(std::string(e.what()).find("m.cpp:5: memory count"), std::string::npos);
      }
    } else {
      const Schedule s = schedule(module, {});
      EXPECT_EQ(s.mem_write[0], s.mem_read[0] + 2);
    }
  }
}

TEST_F(ScheduleTest, PipelineRegistersCarryTheNarrowSide) {
  // 128 bits are compared early; only the verdict waits for the late word.
  const Value match = b.eq(in(128, "tag"), in(128, "icv"));
  const Value late = deep(in(32, "late"), 8);
  out(late.append(match));
  const Schedule s = run();
  EXPECT_LT(flipFlops(m, s).pipeline, 100 * s.stages);
}

}  // namespace
}  // namespace espalier::backend
