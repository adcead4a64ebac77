// SPDX-License-Identifier: BSD-2-Clause-Patent

// Spreads a job's beats over memory: the inverse of esp_gather, with byte strobes.
//
// Purpose:       for each burst, the next `bytes` octets of the output buffer go to beats whose first octet
//                is at `offset`.  discard throws beats away instead.
// Latency:       3 cycles.  One beat a cycle while octets stay in place; a job that moves them takes one
//                cycle more.
// Back-pressure: valid/ready on all sides.
// Reset:         synchronous.  void_i: finish bursts already announced on AXI without data (no strobe set).
module esp_scatter
  import esp_shell_pkg::*;
(
  input  logic       clk_i,
  input  logic       rst_i,
  input  logic       void_i,

  input  logic       burst_valid_i,
  output logic       burst_ready_o,
  input  burst_t     burst_i,           // discard: bytes counts beats
  input  logic       discard_i,

  input  logic       beat_valid_i,      // the output buffer
  output logic       beat_ready_o,
  input  beat_t      beat_i,

  output logic       w_valid_o,
  input  logic       w_ready_i,
  output axi_write_t w_o
);
  // The stream position: octet x_q of the current beat, which is carry_q if valid, else beat_i.
  beat_t       carry_q;
  logic        carry_valid_q, begun_q;
  logic [5:0]  x_q;
  logic [12:0] left_q, left;            // octets of the burst (beats to discard) not yet out
  logic [5:0]  offset;
  logic [6:0]  space, bytes;
  logic [7:0]  reach;                   // x + bytes
  logic        burst_end, job_end, two, load, have, step, room;
  assign left      = begun_q ? left_q : burst_i.bytes;
  assign offset    = begun_q ? '0 : burst_i.offset;
  assign space     = 7'd64 - 7'(offset);
  assign bytes     = left < 13'(space) ? left[6:0] : space;
  assign burst_end = left <= 13'(space);
  assign job_end   = burst_end && burst_i.last;
  assign reach     = 8'(x_q) + 8'(bytes);
  assign two       = reach > 8'd64;     // octets of two beats
  assign load      = two && !carry_valid_q && !void_i;   // the first must move to carry_q
  assign have      = void_i || (two ? carry_valid_q && beat_valid_i : carry_valid_q || beat_valid_i);

  logic discarding;
  assign discarding    = burst_valid_i && discard_i;
  assign step          = burst_valid_i && !discard_i && room && have && !load;
  assign burst_ready_o = discarding ? void_i || (beat_valid_i && left == 13'd1) : step && burst_end;

  always_comb begin
    beat_ready_o = 1'b0;
    if (discarding)                          beat_ready_o = 1'b1;
    else if (burst_valid_i && room) begin
      if (load || two)                       beat_ready_o = load || step;
      else if (!carry_valid_q)               beat_ready_o = step && (reach == 8'd64 || job_end);
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      carry_valid_q <= 1'b0;
      begun_q       <= 1'b0;
      x_q           <= '0;
    end else if (discarding) begin
      if (beat_valid_i || void_i) begun_q <= !burst_ready_o;
    end else begin
      if (burst_valid_i && room && load) carry_valid_q <= beat_valid_i;
      if (step) begin
        begun_q <= !burst_end;
        x_q     <= job_end ? '0 : reach[5:0];
        if (job_end || (carry_valid_q && !two && reach == 8'd64)) carry_valid_q <= 1'b0;
      end
    end
    if (discarding && beat_valid_i) left_q <= left - 13'd1;
    else if (step)                  left_q <= left - 13'(bytes);
    if (beat_ready_o && beat_valid_i && !discarding) carry_q <= beat_i;
  end

  // Extract the octets, then move them to the offset; two pipeline stages, then a FIFO.
  beat_t first, second;
  logic [1023:0] window;
  assign first  = carry_valid_q ? carry_q : beat_i;
  assign second = beat_i;
  assign window = {second, first} >> {x_q, 3'b000};

  logic        s1_valid_q, s1_last_q, s2_valid_q;
  logic [5:0]  s1_offset_q;
  logic [6:0]  s1_bytes_q;
  beat_t       s1_data_q;
  axi_write_t  s2_q;
  always_ff @(posedge clk_i) begin
    s1_valid_q  <= !rst_i && step;
    s2_valid_q  <= !rst_i && s1_valid_q;
    s1_last_q   <= burst_end;
    s1_offset_q <= offset;
    s1_bytes_q  <= void_i ? '0 : bytes;
    s1_data_q   <= window[511:0];
    s2_q.last   <= s1_last_q;
    s2_q.data   <= s1_data_q << {s1_offset_q, 3'b000};
    s2_q.strb   <= ~(64'hffff_ffff_ffff_ffff << s1_bytes_q) << s1_offset_q;
  end
  esp_fifo #(.Width($bits(axi_write_t)), .Depth(8), .Margin(3)) u_out (
    .clk_i, .rst_i, .valid_i(s2_valid_q), .data_i(s2_q), .room_o(room),
    .valid_o(w_valid_o), .data_o(w_o), .ready_i(w_ready_i)
  );

  logic unused;
  assign unused = ^{window[1023:512], burst_i.beats};
endmodule
