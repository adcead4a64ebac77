// SPDX-License-Identifier: BSD-2-Clause-Patent

// Reads payload: issues bursts, takes their data in any order, gives it out in job order.
//
// Purpose:       the reorder buffer of the read port.  Each burst takes an AXI ID and its beats of the
//                buffer before its request goes out, so read data is never refused; up to 2**IdWidth - 1
//                bursts and Beats * 64 bytes are in flight.  A job is announced (ready_*) when its last
//                burst has come and whether any of it failed; esp_gate then says stream or drop.
// Latency:       4 cycles from a job's last beat to its announcement, 2 from the order to the first beat.
// Back-pressure: order_*: one per announced job; piece_* valid/ready, one beat a cycle.
// Reset:         synchronous; only while idle_o (nothing in flight).
module esp_read_buffer
  import esp_shell_pkg::*;
#(
  parameter int unsigned Beats   = 1024,       // beats of the buffer, a power of two; a job's bursts must fit
  parameter int unsigned IdWidth = AxiIdWidth  // bits of the AXI IDs it uses, 1..AxiIdWidth; likewise
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
  if (IdWidth < 1 || IdWidth > AxiIdWidth || Beats != 1 << $clog2(Beats)) begin : gen_check
    $error("esp_read_buffer: IdWidth must lie in 1..AxiIdWidth, Beats be a power of two");
  end
  localparam int unsigned Ids  = 1 << IdWidth;
  localparam int unsigned Log2 = $clog2(Beats);
  typedef logic [IdWidth-1:0] id_t;
  typedef logic [Log2-1:0]    place_t;

  // ---- Issue: a burst enters when an ID and beats are free. ----
  id_t    alloc_q, scan_q, free_q;      // oldest is free_q; scan_q: first not known to have come
  place_t tail_q;
  logic [IdWidth:0] ids_free_q;
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
      ids_free_q   <= (IdWidth + 1)'(Ids - 1);   // so that scan_q == alloc_q means none
      beats_free_q <= (Log2 + 1)'(Beats);
      ar_valid_o   <= 1'b0;
    end else begin
      if (admit) begin
        alloc_q <= alloc_q + 1'b1;
        tail_q  <= tail_q + Log2'(burst_i.beats);
      end
      ids_free_q   <= ids_free_q - (IdWidth + 1)'(admit) + (IdWidth + 1)'(give_id);
      beats_free_q <= beats_free_q - (admit ? (Log2 + 1)'(burst_i.beats) : '0) + (Log2 + 1)'(give_beats);
      ar_valid_o   <= (admit && burst_i.beats != '0) || (ar_valid_o && !ar_ready_i);
    end
    if (admit) begin
      ar_o.id   <= AxiIdWidth'(alloc_q);
      ar_o.len  <= 8'(burst_i.beats) - 8'd1;
      ar_o.addr <= address_i;
    end
  end

  // ---- Collect: read data goes to its burst's place. ----
  (* ram_style = "distributed" *) place_t base_ram  [Ids];   // where the burst starts
  (* ram_style = "distributed" *) logic [$bits(burst_i)-1:0] burst_ram [Ids];  // burst_t; Yosys has no memories of structs
  (* ram_style = "distributed" *) logic [6:0] count_ram [Ids];   // beats that came; zero between bursts
  (* ram_style = "block" *)       beat_t  ram [Beats];
  logic [Ids-1:0] done_q, error_q;
  id_t            r_id;
  place_t         r_place;
  logic [6:0]     count;
  assign r_id    = r_i.id[IdWidth-1:0];
  assign count   = count_ram[r_id];
  assign r_place = base_ram[r_id] + Log2'(count);
  initial for (int unsigned i = 0; i < Ids; i++) count_ram[i] = '0;

  always_ff @(posedge clk_i) begin
    if (admit) begin
      base_ram[alloc_q]  <= tail_q;
      burst_ram[alloc_q] <= burst_i;
    end
    if (r_valid_i) begin
      ram[r_place]      <= r_i.data;
      count_ram[r_id] <= r_i.last ? '0 : count + 7'd1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (admit) begin
      done_q[alloc_q]  <= burst_i.beats == '0;
      error_q[alloc_q] <= 1'b0;
    end
    if (r_valid_i) begin
      if (r_i.last)    done_q[r_id]  <= 1'b1;
      if (r_i.resp[1]) error_q[r_id] <= 1'b1;
    end
  end

  logic [IdWidth:0] flying_q;   // requests without their last beat
  assign idle_o = flying_q == '0 && !ar_valid_o;
  always_ff @(posedge clk_i) begin
    if (rst_i) flying_q <= '0;
    else flying_q <= flying_q + (IdWidth + 1)'(admit && burst_i.beats != '0)
                              - (IdWidth + 1)'(r_valid_i && r_i.last);
  end

  // ---- Announce: walk the bursts in order, a job at each last one. ----
  logic scanned, job_error_q, announce_room;
  burst_t scan_burst;
  assign scan_burst = burst_ram[scan_q];
  logic unused;
  assign unused     = ^{scan_burst, r_i.resp[0]};
  assign scanned    = scan_q != alloc_q && done_q[scan_q] && announce_room;
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
  place_t     give_place;
  assign give_burst    = burst_ram[free_q];
  assign give_place    = base_ram[free_q] + Log2'(given_q);
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
      data_q         <= ram[give_place];
      label_q.last   <= burst_end && give_burst.last;
      label_q.bytes  <= left < 13'(in_beat) ? left[6:0] : in_beat;
      label_q.offset <= given_q == '0 ? give_burst.offset : '0;
      left_q         <= left - 13'(in_beat);
    end
  end
  esp_fifo #(.Width($bits(data_q) + $bits(label_q)), .Depth(8), .Margin(2)) u_pieces (
    .clk_i, .rst_i, .valid_i(read_q), .data_i({data_q, label_q}), .room_o(room),
    .valid_o(piece_valid_o), .data_o({piece_data_o, piece_last_o, piece_bytes_o, piece_offset_o}),
    .ready_i(piece_ready_i)
  );

`ifdef FORMAL
  // The contract.  Bursts come as esp_burst_split makes them, of jobs that fit; memory answers every
  // request, IDs in any order and interleaved; requests, answers, orders and pieces wait as long as they
  // like.  Proved: an ID or a place is not given out twice, no answer is lost, a job is announced when all
  // of it came and with its error, none waits for ever, and any beat that is watched leaves once, whole,
  // and with its octets counted.
  typedef logic [Log2+3:0] sum_t;
  logic live_q = 1'b0;                      // a reset was seen
  initial assume (rst_i);
  always_ff @(posedge clk_i) live_q <= live_q || rst_i;
  always_comb assume (!rst_i || !live_q || idle_o);

  // Memory: beats it still owes each ID.
  logic [6:0] owed_q [Ids];
  always_comb assume (!r_valid_i || (live_q && owed_q[r_id] != '0 && r_i.last == (owed_q[r_id] == 7'd1)));
  always_ff @(posedge clk_i) begin
    if (ar_valid_o && ar_ready_i) owed_q[ar_o.id[IdWidth-1:0]] <= ar_o.len[6:0] + 7'd1;
    if (r_valid_i)                owed_q[r_id] <= owed_q[r_id] - 7'd1;
    for (int unsigned i = 0; i < Ids; i++) if (rst_i) owed_q[i] <= '0;
  end

  function automatic logic [6:0] beats_of(logic [12:0] bytes, logic [5:0] offset);
    logic [13:0] span;
    span = 14'(bytes) + 14'(offset) + 14'd63;
    beats_of = bytes == '0 ? '0 : span[12:6];
  endfunction

  // A walk over the bursts in the buffer, oldest first.
  burst_t      b;
  id_t         id, held, looked;            // bursts held; of them, those announced or about to be
  logic        standing, ok, error, skip, ended;
  logic [6:0]  came;
  logic [Ids-1:0] errors;                   // of the announced jobs, oldest first
  sum_t        sum, open_beats;             // beats held; of the job that has not ended
  id_t         announced, complete, open_bursts, flying;
  place_t      place;
  assign held   = alloc_q - free_q;
  assign looked = scan_q - free_q;
  always_comb begin
    ok = 1'b1;
    error = 1'b0;
    skip = busy_q;                          // the job that is leaving is no longer announced
    errors = '0;
    {announced, open_bursts, flying, complete} = '0;
    {sum, open_beats} = '0;
    ended = 1'b0;
    place = base_ram[free_q];
    for (int unsigned k = 0; k < Ids; k++) begin
      id       = free_q + IdWidth'(k);
      b        = burst_ram[id];
      standing = ar_valid_o && ar_o.id == AxiIdWidth'(id);
      came     = done_q[id] ? b.beats : count_ram[id];
      if (standing || owed_q[id] != '0) flying = flying + 1'b1;
      if (k >= 32'(held)) begin
        ok = ok && !standing && owed_q[id] == '0 && count_ram[id] == '0;
      end else begin
        ok = ok && base_ram[id] == place && b.beats == beats_of(b.bytes, b.offset) && (b.beats != '0 || b.last) &&
             b.bytes <= 13'd4096 && 32'(b.beats) <= Beats && (done_q[id] || b.beats != '0) &&
             (done_q[id] ? !standing && owed_q[id] == '0 && count_ram[id] == '0 :
              standing   ? owed_q[id] == '0 && count_ram[id] == '0 && ar_o.len == 8'(b.beats) - 8'd1 :
                           owed_q[id] != '0 && 8'(count_ram[id]) + 8'(owed_q[id]) == 8'(b.beats)) &&
             (done_q[id] || k >= 32'(looked));
        place       = place + Log2'(b.beats);
        sum         = sum + (Log2 + 4)'(b.beats);
        open_beats  = b.last ? '0 : open_beats + (Log2 + 4)'(b.beats);
        open_bursts = b.last ? '0 : open_bursts + 1'b1;
        if (b.last && k < 32'(looked)) begin
          if (!skip) errors[announced] = error || error_q[id];
          if (!skip) announced = announced + 1'b1;
          skip = 1'b0;
        end
        if (k < 32'(looked)) error = !b.last && (error || error_q[id]);
        if (!ended && done_q[id]) complete = b.last ? IdWidth'(k) + 1'b1 : complete;
        ended = ended || !done_q[id] || b.last;
      end
    end
  end

  always_comb if (burst_valid_i) begin
    assume (burst_i.beats == beats_of(burst_i.bytes, burst_i.offset) && (burst_i.beats != '0 || burst_i.last));
    assume (burst_i.bytes <= 13'd4096);
    assume (32'(open_bursts) < Ids - 1 && 32'(open_beats) + 32'(burst_i.beats) <= Beats);
  end
  always_comb assume (!order_valid_i || ready_valid_o);

  (* hierconn *) wire [$clog2(Ids+1)-1:0] \u_ready.count_q ;
  (* hierconn *) wire [Ids-1:0]           \u_ready.words_q ;
  (* hierconn *) wire [3:0]               \u_pieces.count_q ;
  always_comb if (!live_q) begin
    for (int unsigned i = 0; i < Ids; i++) assert (count_ram[i] == '0);
  end
  always_comb if (live_q) begin
    assert (ok && (held == '0 || place == tail_q));
    assert (32'(ids_free_q) == Ids - 1 - 32'(held));
    assert (32'(sum) + 32'(beats_free_q) == Beats + 32'(given_q));
    assert (given_q == '0 || (held != '0 && given_q < give_burst.beats && !drop_q && busy_q));
    assert (looked <= held);
    assert (32'(flying_q) == 32'(flying) && idle_o == (flying == '0));
    assert (\u_ready.count_q == ($clog2(Ids+1))'(announced) && !skip);
    assert (job_error_q == error);
    assert (\u_pieces.count_q + 4'(read_q) <= 4'd8);
    for (int unsigned k = 0; k < Ids; k++)
      assert (k >= 32'(announced) || errors[k] == \u_ready.words_q [k]);
    // A job that has begun to come can come whole, whatever waits.
    assert (32'(announced) != 0 || busy_q || open_bursts != held || !burst_valid_i || quiesce_i ||
            (ar_valid_o && !ar_ready_i) || burst_ready_o);
  end

  // A job that is all here is announced within a cycle for each of its bursts.
  id_t  waited_q;
  logic late;
  assign late = !busy_q && !ready_valid_o && complete != '0;
  always_ff @(posedge clk_i) waited_q <= rst_i || !late ? '0 : waited_q + 1'b1;
  always_comb if (live_q && !rst_i) assert (!late || (waited_q <= looked && looked < complete));

  // The watched burst.
  (* anyconst *) id_t        watched;
  (* anyconst *) burst_t     which;
  (* anyconst *) logic [6:0] nth;           // its beat
  (* anyconst *) logic [7:0] mark;          // that beat's first octet
  (* anyseq *)   logic       pick;
  logic   watching_q, left_once_q, leaves, left_now_q;
  logic [6:0]  expected;
  logic [12:0] before;
  burst_t      there;
  logic [6:0]  here;
  place_t      spot;
  assign leaves   = step && !drop && watching_q && free_q == watched && given_q == nth;
  assign before   = {nth, 6'h0} - 13'(which.offset);    // octets in earlier beats
  assign expected = nth == '0 ? (which.bytes < 13'd64 - 13'(which.offset) ? which.bytes[6:0]
                                                                         : 7'd64 - 7'(which.offset))
                              : (which.bytes - before < 13'd64 ? 7'(which.bytes - before) : 7'd64);
  assign there    = burst_ram[watched];
  assign here     = done_q[watched] ? there.beats : count_ram[watched];
  assign spot     = base_ram[watched] + Log2'(nth);
  always_comb assume (nth < which.beats || (nth == '0 && which.beats == '0));
  always_comb assume (!(admit && alloc_q == watched && pick) || burst_i == which);
  always_comb assume (!(r_valid_i && r_id == watched && watching_q && count == nth) || r_i.data[7:0] == mark);
  always_ff @(posedge clk_i) begin
    left_now_q <= leaves && !rst_i;
    if (rst_i)                                      {watching_q, left_once_q} <= '0;
    else if (admit && alloc_q == watched && pick)   {watching_q, left_once_q} <= 2'b10;
    else if (give_id && free_q == watched)          watching_q  <= 1'b0;
    else if (leaves)                                left_once_q <= 1'b1;
  end
  always_comb if (live_q && !rst_i) begin
    if (watching_q) begin
      assert (watched - free_q < held && there == which);
      assert (left_once_q == (free_q == watched && given_q > nth));
      assert (here <= nth || left_once_q || ram[spot][7:0] == mark);
      assert (!(give_id && free_q == watched) || drop || left_once_q || leaves);   // never skipped
    end
    assert (given_q == '0 || left_q == give_burst.bytes - ({given_q, 6'h0} - 13'(give_burst.offset)));
    if (left_now_q) begin
      assert (read_q && label_q.bytes == expected && label_q.offset == (nth == '0 ? which.offset : '0));
      assert (label_q.last == (which.last && nth + 7'd1 >= which.beats));
      assert (which.beats == '0 || data_q[7:0] == mark);
    end
  end
`endif
endmodule
