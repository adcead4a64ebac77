// SPDX-License-Identifier: BSD-2-Clause-Patent

// esp_fifo as its contract, for the proofs of modules that contain one (prove.py puts it in the real
// one's place, whose proof shows that it does this and no more).  What it holds lies open: words_q[0] is
// offered, words_q[count_q - 1] came last.
module esp_fifo #(
  parameter int unsigned Width    = 8,
  parameter int unsigned Depth    = 16,
  parameter int unsigned Margin   = 1,
  parameter bit          BlockRam = Depth > 64
) (
  input  logic             clk_i,
  input  logic             rst_i,

  input  logic             valid_i,
  input  logic [Width-1:0] data_i,
  output logic             room_o,

  output logic             valid_o,
  output logic [Width-1:0] data_o,
  input  logic             ready_i
);
  localparam int unsigned CountWidth = $clog2(Depth + 1);
  if (BlockRam) begin : gen_check
    $error("the contract's latency is that of distributed RAM");
  end

  logic [Depth*Width-1:0] words_q, words;    // after a word left
  logic [CountWidth-1:0]  count_q = '0, count;

  assign room_o  = 32'(count_q) + Margin <= Depth;
  assign valid_o = count_q != '0;
  assign data_o  = words_q[Width-1:0];
  assign words   = valid_o && ready_i ? words_q >> Width : words_q;
  assign count   = count_q - CountWidth'(valid_o && ready_i);

  always_ff @(posedge clk_i) begin
    count_q <= rst_i ? '0 : count + CountWidth'(valid_i);
    words_q <= words;
    if (valid_i) words_q[count * Width +: Width] <= data_i;
  end

  always_comb if (!rst_i) begin
    assert (32'(count_q) <= Depth);
    assert (!valid_i || 32'(count_q) < Depth);   // the writer asked for room
  end
endmodule
