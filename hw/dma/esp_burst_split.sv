// SPDX-License-Identifier: BSD-2-Clause-Patent

// Cuts segments into AXI bursts that stay inside a 4 KiB page.
//
// Purpose:       one burst a cycle, also when each segment is one burst.  Segments of length 0 vanish, but
//                each job ends with exactly one burst marked last, of 0 beats only if the job is empty.
// Latency:       1 cycle; the last burst of a segment waits for the job's next segment.
// Back-pressure: valid/ready both ways.
// Reset:         synchronous.
module esp_burst_split
  import esp_shell_pkg::*;
(
  input  logic     clk_i,
  input  logic     rst_i,

  input  logic     segment_valid_i,
  output logic     segment_ready_o,
  input  segment_t segment_i,

  output logic        burst_valid_o,
  input  logic        burst_ready_i,
  output burst_t      burst_o,
  output logic [63:0] address_o     // of the burst's first beat, 64-byte aligned
);
  segment_t rest_q;                 // what is left of a segment that crosses pages
  logic     rest_valid_q;
  segment_t now;
  logic     now_valid, more, move, keep;
  logic     valid_q, tail_q;        // tail: ends a segment that is not the job's last
  logic     absorb;                 // an empty segment behind the tail vanishes into it

  assign now       = rest_valid_q ? rest_q : segment_i;
  assign now_valid = rest_valid_q || segment_valid_i;
  assign move      = !valid_q || (burst_valid_o && burst_ready_i);

  logic [12:0] to_page, bytes;
  logic [13:0] span;
  assign to_page = 13'd4096 - {1'b0, now.address[11:0]};
  assign more    = now.length > 16'(to_page);
  assign bytes   = more ? to_page : now.length[12:0];
  assign span    = 14'(bytes) + 14'(now.address[5:0]) + 14'd63;
  assign keep    = now.length != '0 || now.last;

  assign absorb          = valid_q && tail_q && segment_valid_i && segment_i.length == '0;
  assign burst_valid_o   = valid_q && (!tail_q || (segment_valid_i && segment_i.length != '0));
  assign segment_ready_o = absorb || (move && !rest_valid_q);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      rest_valid_q <= 1'b0;
      valid_q      <= 1'b0;
    end else if (move) begin
      rest_valid_q <= now_valid && more;
      valid_q      <= now_valid && keep;
    end
    if (move) begin
      tail_q         <= !now.last && !more;
      rest_q.last    <= now.last;
      rest_q.length  <= now.length - 16'(bytes);
      rest_q.address <= now.address + 64'(bytes);
      burst_o.last   <= now.last && !more;
      burst_o.offset <= now.address[5:0];
      burst_o.bytes  <= bytes;
      burst_o.beats  <= bytes == '0 ? '0 : span[12:6];
      address_o      <= {now.address[63:6], 6'h0};
    end else if (absorb && segment_i.last) begin
      tail_q       <= 1'b0;
      burst_o.last <= 1'b1;
    end
  end

  logic unused_span;
  assign unused_span = ^{span[13], span[5:0]};

`ifdef FORMAL
  // The contract: an offered segment stands until it is taken, bursts leave when they like.  Proved: the
  // bursts of a segment are its octets in order, none left out; each stays in its page; each job ends with
  // exactly one burst marked last, which has no beats only if the job has none.
  logic        live_q = 1'b0, waiting_q;
  segment_t    offered_q, current_q;        // the segment that the bursts are of
  logic [15:0] given_q;                     // its octets in bursts before burst_o
  logic        ending_q, any_q;             // the job's last segment was taken; a burst of it left
  logic        taken, out;
  initial assume (rst_i);
  assign taken = segment_valid_i && segment_ready_o;
  assign out   = burst_valid_o && burst_ready_i;
  always_comb assume (!waiting_q || (segment_valid_i && segment_i == offered_q));
  always_ff @(posedge clk_i) begin
    live_q    <= live_q || rst_i;
    waiting_q <= !rst_i && segment_valid_i && !segment_ready_o;
    offered_q <= segment_i;
    if (move && rest_valid_q) given_q <= given_q + 16'(burst_o.bytes);
    else if (move) {current_q, given_q} <= {segment_i, 16'h0};
    if (rst_i) {ending_q, any_q} <= '0;
    else begin
      ending_q <= (taken && segment_i.last) || (ending_q && !(out && burst_o.last));
      any_q    <= !(out && burst_o.last) && (any_q || out);
    end
  end

  logic [63:0] start;
  logic [15:0] octets;
  assign start  = {address_o[63:6], burst_o.offset};
  assign octets = 16'(burst_o.bytes);
  always_comb if (live_q && !rst_i) begin
    if (valid_q) begin
      assert (start == current_q.address + 64'(given_q));
      assert (given_q <= current_q.length && octets <= current_q.length - given_q);
      assert (14'(start[11:0]) + 14'(octets) <= 14'd4096);
      assert (burst_o.beats == (octets == '0 ? 7'd0 : 7'((14'(octets) + 14'(start[5:0]) + 14'd63) >> 6)));
      assert (rest_valid_q == (given_q + octets != current_q.length));
      assert (octets != '0 || burst_o.last);
      assert (!burst_o.last || (ending_q && !rest_valid_q));
      assert (!burst_valid_o || burst_o.beats != '0 || !any_q);
      assert (tail_q == (!rest_valid_q && !ending_q));
    end
    if (rest_valid_q) begin
      assert (valid_q && !burst_o.last && rest_q.last == ending_q && octets != '0);
      assert (rest_q.address == start + 64'(octets) && rest_q.length == current_q.length - given_q - octets);
    end
    assert (!any_q || valid_q);                                             // no burst leaves a job's last empty
    assert (!ending_q || (valid_q && (rest_valid_q || burst_o.last)));     // one last burst a job, and soon
  end
`endif
endmodule
