// SPDX-License-Identifier: BSD-2-Clause-Patent

// Credit counter: how much of a bounded resource may still be promised.
//
// Purpose:       reserves space (buffer slots, bytes, tags) before work starts that will need it, so that
//                nothing started can be stuck later.
// Latency:       credits given in cycle t can be taken in t+1.
// Back-pressure: ready_o is high while at least MaxTake credits are left; take only then.  More given back
//                than taken, or taken without ready_o, is an assertion in simulation.
// Timing:        ready_o comes straight from a flip-flop.
// Reset:         synchronous; all credits are back.
module esp_credit #(
  parameter int unsigned Credits = 16,                    // credits in all, >= 1
  parameter int unsigned MaxTake = 1,                     // most that one take_i may ask for, 1..Credits
  localparam int unsigned AmountWidth = $clog2(Credits + 1)
) (
  input  logic                   clk_i,
  input  logic                   rst_i,

  input  logic [AmountWidth-1:0] take_i,    // credits taken this cycle, 0..MaxTake
  output logic                   ready_o,
  input  logic [AmountWidth-1:0] give_i     // credits given back this cycle
);
  if (Credits < 1) begin : gen_check_credits
    $error("esp_credit: Credits must be at least 1");
  end
  if (MaxTake < 1 || MaxTake > Credits) begin : gen_check_max_take
    $error("esp_credit: MaxTake must lie in 1..Credits");
  end

  // Biased so that ready_o is the sign bit, not a comparison: slack_q = credits left - MaxTake.
  logic signed [AmountWidth:0] slack_q;

  assign ready_o = !slack_q[AmountWidth];

  always_ff @(posedge clk_i) begin
    if (rst_i) slack_q <= (AmountWidth + 1)'(Credits - MaxTake);
    else       slack_q <= slack_q - {1'b0, take_i} + {1'b0, give_i};
  end

`ifdef FORMAL
  // A holder that takes only on ready_o and gives back only what it holds.
  int unsigned taken_q;
  logic        live_q = 1'b0;
  initial assume (rst_i);

  always_comb begin
    assume (32'(take_i) <= (ready_o ? MaxTake : 0));
    assume (32'(give_i) <= taken_q);
  end
  always_ff @(posedge clk_i) begin
    live_q  <= live_q || rst_i;
    taken_q <= rst_i ? 0 : taken_q + 32'(take_i) - 32'(give_i);
  end

  always_comb if (live_q && !rst_i) begin
    assert (taken_q <= Credits);                               // never promises what is not there
    assert (Credits - taken_q == MaxTake + 32'(slack_q));      // none lost, none twice
    assert (ready_o == (Credits - taken_q >= MaxTake));
  end
`elsif SYNTHESIS
`else
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      assert (take_i == '0 || (ready_o && 32'(take_i) <= MaxTake))
        else $error("esp_credit: %0d taken without ready_o or above MaxTake %0d", take_i, MaxTake);
      assert (32'(MaxTake) + 32'(slack_q) - 32'(take_i) + 32'(give_i) <= 32'(Credits))
        else $error("esp_credit: more given back than taken (Credits %0d)", Credits);
    end
  end
`endif
endmodule
