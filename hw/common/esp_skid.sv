// SPDX-License-Identifier: BSD-2-Clause-Patent

// Register slice for a valid/ready stream (AXI4-Stream rules).
//
// Purpose:       cuts every combinational path through a stream, so that blocks time on their own; it needs
//                two words because the sender learns one cycle late that the receiver stopped.
// Latency:       1 cycle; one word a cycle.
// Back-pressure: ready_o falls only while the second word is taken.  valid_o, once high, stays with the same
//                data until ready_i.
// Timing:        all outputs come straight from flip-flops.
// Reset:         synchronous; drops what it holds.  ready_o is high from the first cycle after reset.
module esp_skid #(
  parameter int unsigned Width = 8   // bits of a word, >= 1
) (
  input  logic             clk_i,
  input  logic             rst_i,

  input  logic             valid_i,
  input  logic [Width-1:0] data_i,
  output logic             ready_o,

  output logic             valid_o,
  output logic [Width-1:0] data_o,
  input  logic             ready_i
);
  if (Width < 1) begin : gen_check_width
    $error("esp_skid: Width must be at least 1");
  end

  logic             out_valid_q, spare_valid_q;
  logic [Width-1:0] out_q, spare_q;
  logic             move;   // the output word is free to change

  assign move    = !out_valid_q || ready_i;
  assign valid_o = out_valid_q;
  assign data_o  = out_q;
  assign ready_o = !spare_valid_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      out_valid_q   <= 1'b0;
      spare_valid_q <= 1'b0;
    end else begin
      if (move) out_valid_q <= valid_i || spare_valid_q;
      spare_valid_q <= !move && (valid_i || spare_valid_q);
    end
  end

  always_ff @(posedge clk_i) begin
    if (move)           out_q   <= spare_valid_q ? spare_q : data_i;
    if (!spare_valid_q) spare_q <= data_i;
  end

`ifdef FORMAL
  // The words offered are numbered; the n-th word out must be n (see esp_fifo).
  logic [Width-1:0] in_q, out_number_q;
  logic             live_q = 1'b0, stalled_q;
  logic [1:0]       held;
  initial assume (rst_i);

  assign held = 2'(out_valid_q) + 2'(spare_valid_q);
  always_comb assume (data_i == in_q);
  always_ff @(posedge clk_i) begin
    live_q       <= live_q || rst_i;
    stalled_q    <= !rst_i && valid_o && !ready_i;
    in_q         <= rst_i ? '0 : in_q + Width'(valid_i && ready_o);
    out_number_q <= rst_i ? '0 : out_number_q + Width'(valid_o && ready_i);
  end

  always_comb if (live_q && !rst_i) begin
    assert (Width'(held) == Width'(in_q - out_number_q));                // none lost, none twice
    assert (valid_o == (held != 0) && ready_o == (held != 2));           // offered and refused truly
    assert (!valid_o || data_o == out_number_q);                         // in order
    assert (!spare_valid_q || (out_valid_q && spare_q == Width'(out_number_q + 1'b1)));
    assert (!stalled_q || valid_o);                                      // an offer stands
  end
`endif
endmodule
