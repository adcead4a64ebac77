// SPDX-License-Identifier: BSD-2-Clause-Patent

// Joins the engine's answer with the job it answers, and plans the writes.
//
// Purpose:       job by job, in order: decides what is written (a result that is ok and fits) and lists its
//                bursts, cut at segment ends and 4 KiB pages; then sends the job on to retirement.  A result
//                that must not be written is taken out of the output buffer unseen.
// Latency:       2 cycles for a job of one burst, one more for each further burst or segment.
// Back-pressure: inputs valid/ready; outputs go to FIFOs that promise room for 2 more.
// Reset:         synchronous.  quiesce_i stops before the next burst.
module esp_write_plan
  import espalier_pkg::*;
  import esp_shell_pkg::*;
(
  input  logic      clk_i,
  input  logic      rst_i,
  input  logic      quiesce_i,

  input  logic      pending_valid_i,
  output logic      pending_ready_o,
  input  pending_t  pending_i,
  input  logic      result_valid_i,
  output logic      result_ready_o,
  input  result_t   result_i,
  input  logic      segment_valid_i,
  output logic      segment_ready_o,
  input  segment_t  segment_i,

  input  logic        room_i,             // all outputs have room
  output logic        burst_valid_o,      // a burst of the data port
  output burst_t      burst_o,
  output logic [63:0] address_o,
  output logic        discard_o,          // no burst: beats to throw away
  output logic        finished_valid_o,
  output finished_t   finished_o,

  output logic        give_result_o,
  output logic [11:0] give_beats_o,       // reserved beats that the result did not need
  output logic        lost_o              // a ticket that was not expected: the engine is broken
);
  typedef enum logic [1:0] {StHead, StWrite, StSkip} state_e;
  state_e state_q;

  // The head of a job: everything is here.
  logic    head, ok, fits, writes;
  status_t status;
  logic [10:0] beats;                     // of the result
  assign head   = state_q == StHead && room_i && !quiesce_i && pending_valid_i &&
                  (pending_i.failed || result_valid_i);
  assign ok     = !pending_i.failed && result_i.status == StatusOk;
  assign fits   = result_i.length <= pending_i.room;
  assign writes = ok && fits && result_i.length != '0;
  assign status = pending_i.failed ? pending_i.status :
                  ok && !fits && result_i.length != '0 ? StatusNoRoom : result_i.status;
  assign beats  = 11'((17'(result_i.length) + 17'd63) >> 6);
  assign pending_ready_o = head;
  assign result_ready_o  = head && !pending_i.failed;

  // The walk over the destination.
  logic [15:0] left_q;                    // octets still to place
  segment_t    segment_q;                 // what is left of the current segment
  logic        segment_valid_q;
  logic [12:0] to_page, bytes;
  logic [13:0] span;
  logic        place, burst_ends_job, burst_ends_segment;
  logic [15:0] most;
  assign to_page = 13'd4096 - {1'b0, segment_q.address[11:0]};
  assign most    = left_q < segment_q.length ? left_q : segment_q.length;
  assign bytes   = most > 16'(to_page) ? to_page : most[12:0];
  assign span    = 14'(bytes) + 14'(segment_q.address[5:0]) + 14'd63;
  assign place   = state_q == StWrite && segment_valid_q && room_i && !quiesce_i;
  assign burst_ends_job     = 16'(bytes) == left_q;
  assign burst_ends_segment = 16'(bytes) == segment_q.length;

  // Segments are taken ahead; a job's end drops those it did not need.
  logic finish, next_segment;
  assign finish          = place && burst_ends_job;
  assign next_segment    = place && !burst_ends_job && burst_ends_segment;
  assign segment_ready_o = (head && !segment_valid_q) || (state_q == StWrite && !quiesce_i &&
                            (!segment_valid_q || next_segment)) || (state_q == StSkip);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      state_q         <= StHead;
      segment_valid_q <= 1'b0;
    end else begin
      case (state_q)
        StHead: if (head) begin
          segment_valid_q <= segment_valid_i && writes;
          if (writes)                                  state_q <= StWrite;
          else if (segment_valid_i && segment_i.last)  state_q <= StHead;
          else                                         state_q <= StSkip;
        end
        StWrite: begin
          if (finish) begin
            state_q         <= segment_q.last ? StHead : StSkip;
            segment_valid_q <= 1'b0;
          end else if (next_segment || !segment_valid_q) begin
            segment_valid_q <= segment_valid_i && !quiesce_i;
          end
        end
        default: if (segment_valid_i && segment_i.last) state_q <= StHead;
      endcase
    end
    if (segment_ready_o) segment_q <= segment_i;
    else if (place) begin
      segment_q.address <= segment_q.address + 64'(bytes);
      segment_q.length  <= segment_q.length - 16'(bytes);
    end
    if (head)       left_q <= result_i.length;
    else if (place) left_q <= left_q - 16'(bytes);
  end

  always_ff @(posedge clk_i) begin
    burst_valid_o    <= !rst_i && place && bytes != '0;
    discard_o        <= !rst_i && head && !pending_i.failed && result_i.length != '0 && !writes;
    finished_valid_o <= !rst_i && head;
    give_result_o    <= !rst_i && result_ready_o;
    lost_o           <= !rst_i && result_ready_o && result_i.ticket != pending_i.ticket;
    burst_o.last     <= burst_ends_job;
    burst_o.offset   <= segment_q.address[5:0];
    burst_o.bytes    <= head ? 13'(beats) : bytes;
    burst_o.beats    <= span[12:6];
    address_o        <= {segment_q.address[63:6], 6'h0};
    finished_o       <= '{queue: pending_i.queue, writes: writes, tag: pending_i.tag,
                          epoch: pending_i.epoch, status: status, length: writes ? result_i.length : '0,
                          next_header: ok ? result_i.next_header : '0, tos: ok ? result_i.tos : '0};
    give_beats_o     <= result_ready_o ? pending_i.output_beats - 12'(beats) : '0;
  end

  logic unused_span;
  assign unused_span = ^{span[13], span[5:0]};
endmodule
