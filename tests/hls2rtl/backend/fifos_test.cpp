// SPDX-License-Identifier: BSD-2-Clause-Patent
#include <gtest/gtest.h>

#include "hwir/error.hpp"
#include "pass_stage.hpp"

namespace espalier::backend {
namespace {

/// in -> fork -> (slow | direct) -> join -> out
Engine diamond(unsigned slow_depth, unsigned direct_depth = 0) {
  Engine e;
  e.name = "diamond";
  e.stages.push_back(pass("fork", {"in"}, {"a", "b"}, 0));
  e.stages.push_back(pass("slow", {"in"}, {"out"}, slow_depth));
  e.stages.push_back(pass("join", {"a", "b"}, {"out"}, 0));
  e.streams = {{"in", 8, 0, true, {}},
               {"to_slow", 8, 0, false, {}},
               {"direct", 8, direct_depth, false, {"e.cpp", 9}},
               {"from_slow", 8, 0, false, {}},
               {"out", 8, 0, true, {}}};
  e.calls = {{"fork", 0, {{"in", 0}, {"a", 1}, {"b", 2}}, {}},
             {"slow", 1, {{"in", 1}, {"out", 3}}, {}},
             {"join", 2, {{"a", 3}, {"b", 2}, {"out", 4}}, {}}};
  return e;
}

TEST(Fifos, TheFastWayHoldsWhatTheSlowWayDelays) {
  const FifoPlan plan = planFifos(diamond(10));
  EXPECT_EQ(plan.fifos[1].minimum, 2);   // one under way, one in the FIFO
  EXPECT_EQ(plan.fifos[3].minimum, 22);  // the slow stage's pipeline, and as much to refill it
  EXPECT_EQ(plan.fifos[2].wait, 11);     // the slow stage and its FIFO
  EXPECT_EQ(plan.fifos[2].minimum, 13);
  EXPECT_EQ(plan.fifos[2].depth, 16);
  EXPECT_EQ(plan.latency, 14);
}

TEST(Fifos, ATooShallowDepthIsAnError) {
  EXPECT_NO_THROW(planFifos(diamond(10, 13)));
  try {
    planFifos(diamond(10, 12));
    FAIL();
  } catch (const hwir::Error& e) {
    EXPECT_NE(std::string(e.what()).find("e.cpp:9: stream direct holds 12 words and needs 13"),
              std::string::npos)
        << e.what();
  }
}

TEST(Fifos, ACycleIsAnError) {
  Engine e = diamond(0);
  e.stages[0] = pass("fork", {"in", "back"}, {"a", "b"}, 0);
  e.stages[2] = pass("join", {"a", "b"}, {"out", "back"}, 0);
  e.streams.push_back({"feedback", 8, 0, false, {}});
  e.calls[0].connections.push_back({"back", 5});
  e.calls[2].connections.push_back({"back", 5});
  try {
    planFifos(e);
    FAIL();
  } catch (const hwir::Error& error) {
    EXPECT_NE(std::string(error.what()).find("cycle among fork, slow, join"), std::string::npos)
        << error.what();
  }
}

TEST(Fifos, AStreamHasOneWriterAndOneReader) {
  Engine two = diamond(1);
  two.calls[2].connections[1].stream = 3;
  EXPECT_THROW(planFifos(two), hwir::Error);
  Engine none = diamond(1);
  none.calls.pop_back();
  EXPECT_THROW(planFifos(none), hwir::Error);
}

TEST(Top, ConnectsEveryPort) {
  const Engine e = diamond(10);
  const std::string top = emitTop(e, planFifos(e));
  for (const char* text :
       {"module diamond (", "input  logic in_tvalid", "output logic [7:0] out_tdata",
        "esp_fifo #(.Width(8), .Depth(16), .Margin(1), .BlockRam(1'b0)) u_direct_fifo",
        ".a_valid_i(from_slow_valid)", ".out_room_i(from_slow_room)"}) {
    EXPECT_NE(top.find(text), std::string::npos) << text << "\n" << top;
  }
}

}  // namespace
}  // namespace espalier::backend
