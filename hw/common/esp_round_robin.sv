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
    for (int unsigned k = 1; k <= Requests; k++) begin
      if (pick[Requests - k]) chosen_o = Width'(Requests - k);
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i)       after_q <= '1;
    else if (take_i) after_q <= ~((Requests'(2) << chosen_o) - Requests'(1));
  end

`ifdef FORMAL
  // The contract, for any one requester: while it asks, each other one is served at most once.
  (* anyconst *) logic [Width-1:0] watched;
  logic                live_q = 1'b0;      // a reset was seen
  logic [Requests-1:0] served_q;           // others served since it began to ask
  logic [Requests-1:0] below, between;     // others with a lower number; others whose turn comes before it
  initial assume (rst_i);
  always_comb assume (!take_i || any_o);
  always_comb assume (32'(watched) < Requests);

  always_ff @(posedge clk_i) begin
    live_q <= live_q || rst_i;
    if (rst_i || !request_i[watched]) served_q <= '0;
    else if (take_i) served_q <= chosen_o == watched ? '0 : served_q | Requests'(1) << chosen_o;
  end

  always_comb begin
    for (int unsigned k = 0; k < Requests; k++) below[k] = k < 32'(watched);
  end
  assign between = after_q[watched] ? after_q & below : after_q | below;

  always_comb if (live_q && !rst_i) begin
    assert (!any_o || request_i[chosen_o]);              // serves one that asked
    assert (!take_i || !request_i[watched] || !served_q[chosen_o]);  // nobody waits for ever
    assert ((served_q & between) == '0 && !served_q[watched]);
    for (int unsigned k = 1; k < Requests; k++) assert (!after_q[k-1] || after_q[k]);
  end
`endif
endmodule
