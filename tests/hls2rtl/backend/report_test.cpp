// SPDX-License-Identifier: BSD-2-Clause-Patent
// report.json says of each stage what a reader needs to judge it.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "backend/engine.hpp"
#include "backend/stage.hpp"
#include "hwir/builder.hpp"

namespace espalier::backend {
namespace {

using hwir::Builder;
using hwir::Value;

/// total.next = total + table[in] for each word; out = total.
Engine summing() {
  Builder b("summing", {"sum.cpp", 7});
  const auto in = b.addInput("in", 8);
  const Value go = b.notOf(b.empty(in));
  const Value word = b.read(in, go);
  const auto table = b.addMemory("table", 16, 256, 3, hwir::Hazard::kForbid, {"sum.cpp", 3});
  const Value entry = b.memRead(table, go, word);
  const auto total = b.addRegister("total", 16, {"sum.cpp", 4});
  b.setNext(total, b.mux(go, b.add(b.reg(total), entry), b.reg(total)));
  b.write(b.addOutput("out", 16), go, b.reg(total));
  Engine e;
  e.name = "summing";
  e.loc = {"sum.cpp", 7};
  e.stages.push_back(makeStage(b.finish(), {}));
  e.streams = {{"in", 8, 0, true, {}}, {"out", 16, 0, true, {"sum.cpp", 7}}};
  e.calls = {{"summing", 0, {{"in", 0}, {"out", 1}}, {}}};
  return e;
}

TEST(Report, TellsEachStage) {
  const Engine e = summing();
  const auto r = nlohmann::json::parse(report(e, planFifos(e)));
  ASSERT_EQ(r["stages"].size(), 1u);
  const auto& stage = r["stages"][0];
  EXPECT_EQ(stage["name"], "summing");
  EXPECT_EQ(stage["source"], (nlohmann::json{{"file", "sum.cpp"}, {"line", 7}}));
  EXPECT_EQ(stage["depth"], 4);  // three cycles of memory, then the sum
  EXPECT_EQ(stage["levels"].size(), 4u);
  EXPECT_EQ(stage["levels_max"], 2);  // the sum, and whether there was a word
  EXPECT_EQ(stage["flip_flops"]["state"], 16);
  EXPECT_GT(stage["flip_flops"]["pipeline"], 0);
  ASSERT_EQ(stage["memories"].size(), 1u);
  const auto& table = stage["memories"][0];
  EXPECT_EQ(table["name"], "table");
  EXPECT_EQ(table["bits"], 16 * 256);
  EXPECT_EQ(table["latency"], 3);
  EXPECT_EQ(table["source"]["line"], 3);
  ASSERT_EQ(stage["recurrences"].size(), 1u);
  EXPECT_EQ(stage["recurrences"][0]["stage"], 3);
  EXPECT_EQ(stage["recurrences"][0]["levels"], 2);
  EXPECT_EQ(stage["recurrences"][0]["source"]["line"], 4);
  EXPECT_NE(stage["recurrences"][0]["registers"].dump().find("total"), std::string::npos);
  EXPECT_EQ(stage["outputs"][0]["margin"], 4);
}

TEST(Report, TellsWhyAFifoIsThatDeep) {
  const Engine e = summing();
  const auto r = nlohmann::json::parse(report(e, planFifos(e)));
  ASSERT_EQ(r["fifos"].size(), 1u);
  const auto& out = r["fifos"][0];
  EXPECT_EQ(out["from"], "summing");
  EXPECT_EQ(out["minimum"], 4 + 1 + 3);
  EXPECT_EQ(out["depth"], 8);
  EXPECT_EQ(out["margin"], 4);
  EXPECT_EQ(out["wait"], 0);
  EXPECT_EQ(out["refill"], 3);
}

}  // namespace
}  // namespace espalier::backend
