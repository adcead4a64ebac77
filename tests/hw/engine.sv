// SPDX-License-Identifier: BSD-2-Clause-Patent

// A stand-in for the packet engine, for tests of the shell: copies.
//
// seal, open: the result is the source, then pad_length octets of zero; next_header is 50, tos the
// descriptor's.  With ttl 1 it fails as icv_mismatch.  Everything else: ok, no output.
// Words and handshakes are those of the generated engine (hls/types.h); results leave in job order.
module engine
  import espalier_pkg::*;
(
  input  logic         clk_i,
  input  logic         rst_i,
  input  logic         jobs_tvalid,
  output logic         jobs_tready,
  input  logic [527:0] jobs_tdata,
  input  logic         in_tvalid,
  output logic         in_tready,
  input  logic [512:0] in_tdata,
  output logic         results_tvalid,
  input  logic         results_tready,
  output logic [63:0]  results_tdata,
  output logic         out_tvalid,
  input  logic         out_tready,
  output logic [512:0] out_tdata
);
  descriptor_t job;
  logic [15:0] length;
  logic [10:0] at_q, beats_in, beats_out, beats;
  logic        packet, fails, step, first, last, result_room, out_room;
  assign job       = jobs_tdata[511:0];
  assign packet    = job.opcode == OpSeal || job.opcode == OpOpen;
  assign fails     = packet && job.ttl == 8'd1;
  assign length    = packet && !fails ? job.source_length + 16'(job.pad_length) : '0;
  assign beats_in  = packet ? 11'((17'(job.source_length) + 17'd63) >> 6) : job.opcode == OpInstall ? 11'd16 : '0;
  assign beats_out = 11'((17'(length) + 17'd63) >> 6);
  assign beats     = beats_in > beats_out ? beats_in : beats_out;
  assign first     = at_q == '0;
  assign last      = at_q + 11'd1 >= beats;
  assign step      = jobs_tvalid && (at_q >= beats_in || in_tvalid) && result_room && out_room;
  assign jobs_tready = step && last;
  assign in_tready  = step && at_q < beats_in;

  logic unused;
  assign unused = ^job;

  always_ff @(posedge clk_i) begin
    if (rst_i)     at_q <= '0;
    else if (step) at_q <= last ? '0 : at_q + 11'd1;
    if (!rst_i && in_tvalid && in_tready) assert (in_tdata[512] == (at_q + 11'd1 == beats_in));
  end

  esp_fifo #(.Width(64), .Depth(4)) u_result (
    .clk_i, .rst_i, .valid_i(step && first),
    .data_i({fails ? 8'h0 : job.tos, packet && !fails ? 8'd50 : 8'd0, length,
             fails ? StatusIcvMismatch : StatusOk, jobs_tdata[527:512]}),
    .room_o(result_room), .valid_o(results_tvalid), .data_o(results_tdata), .ready_i(results_tready)
  );
  esp_fifo #(.Width(513), .Depth(4)) u_out (
    .clk_i, .rst_i, .valid_i(step && at_q < beats_out),
    .data_i({at_q + 11'd1 == beats_out, at_q < beats_in ? in_tdata[511:0] : 512'h0}),
    .room_o(out_room), .valid_o(out_tvalid), .data_o(out_tdata), .ready_i(out_tready)
  );
endmodule
