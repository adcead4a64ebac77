// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "backend/emit.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "backend/stage.hpp"
#include "hwir/builder.hpp"
#include "random_step.hpp"

namespace espalier::backend {
namespace {

using hwir::Builder;
using hwir::Value;

TEST(Emit, ASmallStageReadsLikeThis) {
  Builder b("count", {"count.cpp", 4});
  const auto in = b.addInput("in", 9);
  const auto out = b.addOutput("out", 16);
  const auto sum = b.addRegister("sum", 8, {"count.cpp", 2});
  const auto table = b.addMemory("table", 8, 256, 2, hwir::Hazard::kForbid);
  b.setLoc({"count.cpp", 6});
  const Value go = b.notOf(b.empty(in));
  const Value x = b.read(in, go);
  const Value last = b.andOf(go, x.bit(8));
  const Value next = b.add(b.reg(sum), x.slice(0, 8));
  b.setName(next, "next_sum");
  b.setNext(sum, b.mux(go, next, b.reg(sum)));
  b.write(out, last, next.append(b.memRead(table, go, x.slice(0, 8))));
  const hwir::Module m = b.finish();
  EXPECT_EQ(emit(m, schedule(m, {})), R"(// SPDX-License-Identifier: BSD-2-Clause-Patent
// Made by hls2rtl from count.cpp:4; do not edit.
// 3 pipeline stages.  A step fires when every output has room; room_i promises:
//   out 3 free slots
/* verilator lint_off UNUSEDSIGNAL */
module count (
  input  logic clk_i,
  input  logic rst_i,

  input  logic in_valid_i,
  input  logic [8:0] in_data_i,
  output logic in_ready_o,

  output logic out_valid_o,
  output logic [15:0] out_data_o,
  input  logic out_room_i
);
  logic go;  // a step enters the pipeline
  assign go = !rst_i && out_room_i;
  logic [1:0] valid_q;  // a step is in stage 1 and up
  always_ff @(posedge clk_i) valid_q <= rst_i ? '0 : {valid_q[0], go};

  (* ram_style = "distributed" *) logic [7:0] table_mem [256];

  // ---- stage 0
  logic in_empty;
  assign in_empty = !in_valid_i;
  logic n3;
  assign n3 = ~in_empty & in_data_i[8];  // count.cpp:6
  logic [7:0] sum_q;  // count.cpp:2
  logic [7:0] next_sum_n5;
  assign next_sum_n5 = in_data_i[7:0] + sum_q;  // count.cpp:6
  assign in_ready_o = go & ~in_empty;
  always_ff @(posedge clk_i) begin
    if (rst_i) sum_q <= '0;
    else if (go && !in_empty) sum_q <= next_sum_n5;
  end
  logic [7:0] table_read_1;
  always_ff @(posedge clk_i) table_read_1 <= table_mem[in_data_i[7:0]];
  logic [7:0] table_read;
  always_ff @(posedge clk_i) table_read <= table_read_1;
  logic n3_s1;
  logic [7:0] next_sum_n5_s1;
  always_ff @(posedge clk_i) begin
    n3_s1 <= n3;
    next_sum_n5_s1 <= next_sum_n5;
  end

  // ---- stage 1
  logic n3_s2;
  logic [7:0] next_sum_n5_s2;
  always_ff @(posedge clk_i) begin
    n3_s2 <= n3_s1;
    next_sum_n5_s2 <= next_sum_n5_s1;
  end

  // ---- stage 2
  assign out_valid_o = valid_q[1] & n3_s2;
  assign out_data_o = {table_read, next_sum_n5_s2};
endmodule
)");
}

TEST(Emit, DeclaresEveryNameItUses) {
  const std::regex name("\\b[a-z][a-z0-9_]*(_[0-9]+|_s[0-9]+|_q|_n[0-9]+)\\b|\\bn[0-9]+\\b");
  const std::regex declaration("logic (\\[[0-9]+:0\\] )?([a-z0-9_]+)");
  for (unsigned seed = 1; seed <= 60; seed++) {
    std::mt19937 rng(seed);
    const Stage stage = makeStage(randomStep(rng, hwir::Hazard::kForward), {});
    const std::string text = emit(stage.module, stage.schedule);
    std::set<std::string> declared;
    for (std::sregex_iterator i(text.begin(), text.end(), declaration), end; i != end; ++i) {
      declared.insert((*i)[2]);
    }
    const std::string code = std::regex_replace(text, std::regex("//[^\n]*|[0-9]+'h[0-9a-f]+"), "");
    for (std::sregex_iterator i(code.begin(), code.end(), name), end; i != end; ++i) {
      ASSERT_TRUE(declared.count(i->str())) << "seed " << seed << ": " << i->str() << "\n" << text;
    }
  }
}

}  // namespace
}  // namespace espalier::backend
