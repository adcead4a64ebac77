// SPDX-License-Identifier: BSD-2-Clause-Patent

// Packs pieces of memory into a job's beats: first octet in byte 0, no gaps.
//
// Purpose:       byte order is kept, position changes: a piece's octets [offset, offset + bytes) follow those
//                of the piece before.  One 64-position rotator does both moves: by fill - offset.
// Latency:       2 cycles.  One piece a cycle; a job whose last piece fills one beat and begins another takes
//                one cycle more.
// Back-pressure: pieces valid/ready; beats go to a FIFO that promises room for 2 more.
// Reset:         synchronous.
// Octets after a job's end are zero.
module esp_gather
  import esp_shell_pkg::*;
(
  input  logic       clk_i,
  input  logic       rst_i,

  input  logic       piece_valid_i,
  output logic       piece_ready_o,
  input  beat_t      piece_data_i,
  input  logic [5:0] piece_offset_i,
  input  logic [6:0] piece_bytes_i,   // 0..64 - offset
  input  logic       piece_last_i,

  input  logic       room_i,
  output logic       beat_valid_o,
  output beat_t      beat_o,
  output logic       last_o
);
  logic [5:0]  fill_q;                // octets waiting in rest_q
  logic [5:0]  turn;
  logic [1023:0] doubled;
  logic        s1_valid_q, s1_last_q, s1_done, spill, spilled_q;
  logic [5:0]  s1_fill_q;
  logic [6:0]  s1_total_q;            // fill + bytes, up to 127
  beat_t       s1_data_q;
  assign turn          = fill_q - piece_offset_i;
  assign doubled       = {piece_data_i, piece_data_i} << {turn, 3'b000};
  logic unused_low;
  assign unused_low    = ^doubled[511:0];
  assign piece_ready_o = !s1_valid_q || s1_done;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      s1_valid_q <= 1'b0;
      fill_q     <= '0;
    end else if (piece_ready_o) begin
      s1_valid_q <= piece_valid_i;
      if (piece_valid_i) fill_q <= piece_last_i ? '0 : fill_q + piece_bytes_i[5:0];
    end
    if (piece_ready_o) begin
      s1_data_q  <= doubled[1023:512];
      s1_fill_q  <= fill_q;
      s1_total_q <= 7'(fill_q) + piece_bytes_i;
      s1_last_q  <= piece_last_i;
    end
  end

  // Octets below fill come from the rest, octets below the total from the piece, the others are zero.
  beat_t rest_q, merged, cut;
  for (genvar i = 0; i < 64; i++) begin : gen_merge
    assign merged[8*i+:8] = 7'(i) < 7'(s1_fill_q) ? rest_q[8*i+:8] :
                            7'(i) < s1_total_q    ? s1_data_q[8*i+:8] : 8'h0;
    assign cut[8*i+:8]    = 7'(i) < {1'b0, s1_total_q[5:0]} ? s1_data_q[8*i+:8] : 8'h0;
  end

  logic full, out;
  assign full    = s1_total_q[6];
  assign spill   = s1_last_q && full && s1_total_q[5:0] != '0;   // one beat more than one
  assign s1_done = room_i && (!spill || spilled_q);
  assign out     = s1_valid_q && room_i && (full || s1_last_q);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      spilled_q    <= 1'b0;
      beat_valid_o <= 1'b0;
    end else begin
      spilled_q    <= spilled_q ? !room_i : s1_valid_q && room_i && spill;
      beat_valid_o <= out && (s1_total_q != '0);
    end
    if (s1_valid_q && s1_done) rest_q <= full ? cut : merged;
    beat_o <= spilled_q ? cut : merged;
    last_o <= s1_last_q && (!spill || spilled_q);
  end
endmodule
