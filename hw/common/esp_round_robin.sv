// SPDX-License-Identifier: BSD-2-Clause-Patent

// Round-robin choice: the next requester after the one that was served last.
//
// Purpose:       fair arbitration; a requester waits for at most Requests - 1 others.
// Latency:       combinational from request_i to chosen_o; take_i moves the turn on.
// Reset:         synchronous; requester 0 comes first.
module esp_round_robin #(
  parameter  int unsigned Requests = 4,                                   // 1..16
  localparam int unsigned Width    = Requests > 1 ? $clog2(Requests) : 1  // bits of a requester's number
) (
  input  logic                clk_i,
  input  logic                rst_i,
  input  logic [Requests-1:0] request_i,
  input  logic                take_i,     // chosen_o is served
  output logic                any_o,
  output logic [Width-1:0]    chosen_o
);
  logic [Requests-1:0] after_q;           // requesters behind the one served last
  logic [Requests-1:0] pick;

  assign any_o = request_i != '0;
  assign pick  = (request_i & after_q) != '0 ? request_i & after_q : request_i;

  always_comb begin
    chosen_o = '0;
    for (int k = int'(Requests) - 1; k >= 0; k--) begin
      if (pick[k]) chosen_o = Width'(k);
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i)       after_q <= '1;
    else if (take_i) after_q <= ~((Requests'(2) << chosen_o) - Requests'(1));
  end

`ifdef FORMAL
  logic live_q = 1'b0;
  initial assume (rst_i);
  always_comb assume (!take_i || any_o);
  always_ff @(posedge clk_i) live_q <= live_q || rst_i;
  always_comb if (live_q && !rst_i) begin
    assert (!any_o || request_i[chosen_o]);                                // serves one that asked
    for (int k = 0; k < int'(Requests); k++)                               // nobody in turn is passed over
      assert (!(any_o && request_i[k] && after_q[k]) || (after_q[chosen_o] && 32'(chosen_o) <= 32'(k)));
  end
`endif
endmodule
