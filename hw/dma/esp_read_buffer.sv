// SPDX-License-Identifier: BSD-2-Clause-Patent

// Reads payload: issues bursts, takes their data in any order, gives it out in job order.
//
// Purpose:       the reorder buffer of the read port.  Each burst takes an AXI ID and its beats of the
//                buffer before its request goes out, so read data is never refused; up to 2**AxiIdWidth - 1
//                bursts and Beats * 64 bytes are in flight.  A job is announced (ready_*) when its last
//                burst has come and whether any of it failed; esp_gate then says stream or drop.
// Latency:       4 cycles from a job's last beat to its announcement, 2 from the order to the first beat.
// Back-pressure: order_*: one per announced job; piece_* valid/ready, one beat a cycle.
// Reset:         synchronous; only while idle_o (nothing in flight).
module esp_read_buffer
  import esp_shell_pkg::*;
#(
  parameter int unsigned Beats = 1024  // beats of the buffer, a power of two, >= 4 maximum packets
) (
  input  logic         clk_i,
  input  logic         rst_i,
  input  logic         quiesce_i,       // issue nothing new
  output logic         idle_o,          // no request stands or is in flight

  input  logic         burst_valid_i,
  output logic         burst_ready_o,
  input  burst_t       burst_i,
  input  logic [63:0]  address_i,

  output logic         ar_valid_o,
  input  logic         ar_ready_i,
  output axi_address_t ar_o,
  input  logic         r_valid_i,
  input  axi_read_t    r_i,

  output logic         ready_valid_o,   // a job is on chip
  output logic         ready_error_o,   // a read of it failed
  input  logic         order_valid_i,   // use it up; only with ready_valid_o
  input  logic         order_drop_i,    // 1: forget its beats; 0: give them out
  output logic         order_ready_o,

  output logic         piece_valid_o,
  input  logic         piece_ready_i,
  output beat_t        piece_data_o,
  output logic [5:0]   piece_offset_o,  // first octet
  output logic [6:0]   piece_bytes_o,   // octets, 0..64
  output logic         piece_last_o     // the job's last
);
  localparam int unsigned Ids   = 1 << AxiIdWidth;
  localparam int unsigned Log2  = $clog2(Beats);
  typedef logic [AxiIdWidth-1:0] id_t;
  typedef logic [Log2-1:0]       place_t;

  // ---- Issue: a burst enters when an ID and beats are free. ----
  id_t    alloc_q, scan_q, free_q;      // oldest is free_q; scan_q: first not known to have come
  place_t tail_q;
  logic [AxiIdWidth:0] ids_free_q;
  logic [Log2:0]       beats_free_q;
  logic   admit, give_id;
  logic [6:0] give_beats;
  assign burst_ready_o = !quiesce_i && ids_free_q != '0 && beats_free_q >= (Log2 + 1)'(burst_i.beats) &&
                         (!ar_valid_o || ar_ready_i);
  assign admit = burst_valid_i && burst_ready_o;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      alloc_q      <= '0;
      tail_q       <= '0;
      ids_free_q   <= (AxiIdWidth + 1)'(Ids - 1);   // so that scan_q == alloc_q means none
      beats_free_q <= (Log2 + 1)'(Beats);
      ar_valid_o   <= 1'b0;
    end else begin
      if (admit) begin
        alloc_q <= alloc_q + 1'b1;
        tail_q  <= tail_q + place_t'(burst_i.beats);
      end
      ids_free_q   <= ids_free_q - (AxiIdWidth + 1)'(admit) + (AxiIdWidth + 1)'(give_id);
      beats_free_q <= beats_free_q - (admit ? (Log2 + 1)'(burst_i.beats) : '0) + (Log2 + 1)'(give_beats);
      ar_valid_o   <= (admit && burst_i.beats != '0) || (ar_valid_o && !ar_ready_i);
    end
    if (admit) ar_o <= '{id: alloc_q, len: 8'(burst_i.beats) - 8'd1, addr: address_i};
  end

  // ---- Collect: read data goes to its burst's place. ----
  (* ram_style = "distributed" *) place_t base_ram  [Ids];   // where the burst starts
  (* ram_style = "distributed" *) burst_t burst_ram [Ids];
  (* ram_style = "distributed" *) logic [6:0] count_ram [Ids];   // beats that came; zero between bursts
  (* ram_style = "block" *)       beat_t  ram [Beats];
  logic [Ids-1:0] done_q, error_q;
  logic [6:0]     count;
  assign count = count_ram[r_i.id];
  initial for (int i = 0; i < int'(Ids); i++) count_ram[i] = '0;

  always_ff @(posedge clk_i) begin
    if (admit) begin
      base_ram[alloc_q]  <= tail_q;
      burst_ram[alloc_q] <= burst_i;
    end
    if (r_valid_i) begin
      ram[base_ram[r_i.id] + place_t'(count)] <= r_i.data;
      count_ram[r_i.id] <= r_i.last ? '0 : count + 7'd1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (admit) begin
      done_q[alloc_q]  <= burst_i.beats == '0;
      error_q[alloc_q] <= 1'b0;
    end
    if (r_valid_i) begin
      if (r_i.last)    done_q[r_i.id]  <= 1'b1;
      if (r_i.resp[1]) error_q[r_i.id] <= 1'b1;
    end
  end

  logic [AxiIdWidth:0] flying_q;   // requests without their last beat
  assign idle_o = flying_q == '0 && !ar_valid_o;
  always_ff @(posedge clk_i) begin
    if (rst_i) flying_q <= '0;
    else flying_q <= flying_q + (AxiIdWidth + 1)'(admit && burst_i.beats != '0)
                              - (AxiIdWidth + 1)'(r_valid_i && r_i.last);
  end

  // ---- Announce: walk the bursts in order, a job at each last one. ----
  logic scanned, job_error_q;
  burst_t scan_burst;
  assign scan_burst = burst_ram[scan_q];
  logic unused;
  assign unused     = ^{scan_burst, r_i.resp[0]};
  assign scanned    = scan_q != alloc_q && done_q[scan_q] && announce_room;
  logic announce_room;
  esp_fifo #(.Width(1), .Depth(Ids), .BlockRam(1'b0)) u_ready (
    .clk_i, .rst_i, .valid_i(scanned && scan_burst.last), .data_i(job_error_q || error_q[scan_q]),
    .room_o(announce_room), .valid_o(ready_valid_o), .data_o(ready_error_o),
    .ready_i(order_valid_i && order_ready_o)
  );
  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      scan_q      <= '0;
      job_error_q <= 1'b0;
    end else if (scanned) begin
      scan_q      <= scan_q + 1'b1;
      job_error_q <= !scan_burst.last && (job_error_q || error_q[scan_q]);
    end
  end

  // ---- Give out: beats of a streamed job, or forget a dropped one burst by burst. ----
  logic   busy_q, drop_q, drop, active, room, step, burst_end;
  burst_t give_burst;
  logic [6:0] given_q;              // beats of the burst given out
  assign give_burst    = burst_ram[free_q];
  assign order_ready_o = !busy_q && room;
  assign active        = busy_q || (order_valid_i && order_ready_o);
  assign drop          = busy_q ? drop_q : order_drop_i;
  assign step          = active && room;
  assign burst_end     = drop || given_q + 7'd1 >= give_burst.beats;
  assign give_id       = step && burst_end;
  assign give_beats    = !step ? '0 : drop ? give_burst.beats : 7'(give_burst.beats != '0);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      busy_q  <= 1'b0;
      free_q  <= '0;
      given_q <= '0;
    end else if (step) begin
      busy_q  <= !(burst_end && give_burst.last);
      given_q <= burst_end ? '0 : given_q + 7'd1;
      if (burst_end) free_q <= free_q + 1'b1;
    end
    if (active) drop_q <= drop;
  end

  // One cycle through the RAM, then a FIFO that was asked for room before.
  typedef struct packed {
    logic       last;
    logic [6:0] bytes;
    logic [5:0] offset;
  } label_t;
  logic   read_q;
  beat_t  data_q;
  label_t label_q;
  logic [12:0] left_q, left;        // octets of the burst not yet given out
  logic [6:0]  in_beat;             // octets this beat can hold
  assign left    = given_q == '0 ? give_burst.bytes : left_q;
  assign in_beat = given_q == '0 ? 7'd64 - 7'(give_burst.offset) : 7'd64;
  always_ff @(posedge clk_i) begin
    read_q <= !rst_i && step && !drop && (give_burst.beats != '0 || give_burst.last);
    if (step) begin
      data_q         <= ram[base_ram[free_q] + place_t'(given_q)];
      label_q.last   <= burst_end && give_burst.last;
      label_q.bytes  <= left < 13'(in_beat) ? left[6:0] : in_beat;
      label_q.offset <= given_q == '0 ? give_burst.offset : '0;
      left_q         <= left - 13'(in_beat);
    end
  end
  esp_fifo #(.Width($bits(beat_t) + $bits(label_t)), .Depth(8), .Margin(2)) u_pieces (
    .clk_i, .rst_i, .valid_i(read_q), .data_i({data_q, label_q}), .room_o(room),
    .valid_o(piece_valid_o), .data_o({piece_data_o, piece_last_o, piece_bytes_o, piece_offset_o}),
    .ready_i(piece_ready_i)
  );
endmodule
