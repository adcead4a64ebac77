// SPDX-License-Identifier: BSD-2-Clause-Patent

// Turns ring entries into jobs: checks them and lists their segments.
//
// Purpose:       entries of one job in; its source segments to the reader, its destination segments to the
//                writer, and the job itself out, all in job order.  A job that is wrong keeps its place in
//                the order: it goes out `failed` with a status and with empty segments.  What only a broken
//                or hostile host does (bad opcode, address outside the window, wrong epoch ...) stops the
//                queue as well.  An entry that is not of this pass or epoch is nobody's: it is dropped
//                without an answer.
// Latency:       4 cycles; a job of one segment each way takes 2 cycles.
// Back-pressure: entries valid/ready; the three outputs go to FIFOs that promise room for 4 more words.
// Reset:         synchronous.
module esp_job_parse
  import espalier_pkg::*;
  import esp_shell_pkg::*;
#(
  parameter int unsigned Queues      = 4,     // queue pairs
  parameter int unsigned MaxPacket   = 9600,  // octets of source or result
  parameter int unsigned OutputBeats = 1024   // beats of the output buffer: no result may be longer
) (
  input  logic                       clk_i,
  input  logic                       rst_i,
  input  queue_config_t [Queues-1:0] config_i,

  input  logic                       entry_valid_i,
  output logic                       entry_ready_o,
  input  entry_t                     entry_i,

  input  logic                       room_i,          // all three outputs have room
  output logic                       source_valid_o,
  output segment_t                   source_o,
  output logic                       destination_valid_o,
  output segment_t                   destination_o,
  output logic                       job_valid_o,
  output job_t                       job_o,

  output logic [Queues-1:0]          stop_o,
  output status_t [Queues-1:0]       stop_status_o,
  output logic [Queues-1:0]          unanswered_o,    // an entry used up that has no completion
  output logic [Queues-1:0]          release_o        // a dropped job's completion slot
);
  localparam int unsigned SelectWidth = Queues > 1 ? $clog2(Queues) : 1;
  typedef logic [SelectWidth-1:0] select_t;

  // ---- The walk: head entry, then segment after segment. ----
  typedef enum logic [2:0] {StHead, StMore, StSource, StDestination, StSkip, StFail, StDrop} state_e;
  state_e state_q, state_d;

  descriptor_t   head_q;
  continuation_t part_q;         // the continuation being walked
  entry_t        held_q;         // the entry last taken: queue, last, reserved
  queue_config_t config_q;
  logic          first_q;        // part_q is the job's first continuation
  logic          source_done_q;  // the last source segment went out
  logic [2:0]    slot_q;         // next address of part_q
  logic [15:0]   room_q;         // length of the first destination segment
  logic [4:0]    sources_q, destinations_q;   // still to go out
  status_t       status_q;
  logic          fatal_q;        // the status stops the queue

  descriptor_t   entry_head;
  continuation_t entry_part;
  assign entry_head = entry_i.data;
  assign entry_part = entry_i.data;
  select_t       entry_queue;
  queue_config_t entry_config;
  assign entry_queue  = select_t'(entry_i.queue);
  assign entry_config = config_i[entry_queue];

  // Verdict on a head entry.
  logic    head_nobodys, head_fatal, head_plain, head_packet, head_install;
  status_t head_status;
  assign head_plain   = entry_head.opcode == OpNop || entry_head.opcode == OpRemove;
  assign head_packet  = entry_head.opcode == OpSeal || entry_head.opcode == OpOpen;
  assign head_install = entry_head.opcode == OpInstall;
  assign head_nobodys = entry_i.stale || entry_i.read_error || entry_head.epoch != entry_config.epoch ||
                        !entry_i.reserved;
  always_comb begin
    head_status = '0;
    head_fatal  = 1'b0;
    if (entry_i.read_error) begin
      head_status = StatusReadError;
      head_fatal  = 1'b1;
    end else if (entry_i.stale || entry_head.epoch != entry_config.epoch) begin
      head_status = StatusBadDescriptor;
      head_fatal  = 1'b1;
    end else if (!entry_config.alive) begin
      head_status = StatusAborted;
    end else if (!(head_plain || head_packet || head_install) ||
                 (entry_head.flags & ~(FlagDontFragment | FlagContinued | FlagPhase)) != '0 ||
                 (head_install && entry_head.source_length != 16'(SaRecordBytes)) ||
                 (entry_i.last == ((entry_head.flags & FlagContinued) != '0))) begin
      head_status = StatusBadDescriptor;
      head_fatal  = 1'b1;
    end else if (head_packet && 32'(entry_head.source_length) > MaxPacket) begin
      head_status = StatusTooLong;
    end
  end

  // Verdict on a continuation.
  logic part_ok;
  assign part_ok = !entry_i.stale && !entry_i.read_error && entry_part.opcode == OpContinuation &&
                   entry_part.flags == {entry_part.flags[7], 7'h0} && entry_part.tag == head_q.tag &&
                   entry_part.sources inside {[8'd1:8'(MaxSegments)]} &&
                   entry_part.destinations inside {[8'd1:8'(MaxSegments)]} &&
                   entry_part.reserved == '0 &&
                   (first_q || (entry_part.sources == part_q.sources &&
                                entry_part.destinations == part_q.destinations));

  // The segment that this state puts out.
  logic        first_source_q, first_destination_q;   // the descriptor's own segment is next
  logic        emit, emit_source, emit_last, need_part;
  logic [63:0] emit_address;
  logic [15:0] emit_length;
  logic        continued, plain_q;
  assign continued = (head_q.flags & FlagContinued) != '0;
  assign need_part = slot_q == 3'd5 &&
                     !(state_q == StSource ? first_source_q : first_destination_q);

  always_comb begin
    emit_source  = state_q == StSource || (state_q == StFail && !source_done_q);
    emit_last    = state_q == StFail || (state_q == StSource ? sources_q == 5'd1 : destinations_q == 5'd1);
    emit_address = part_q.address[slot_q];
    emit_length  = part_q.length[slot_q];
    if (state_q == StSource && first_source_q) begin
      emit_address = head_q.source_address;
      emit_length  = continued ? part_q.length[5] : head_q.source_length;
    end else if (state_q == StDestination && first_destination_q) begin
      emit_address = head_q.destination_address;
      emit_length  = continued ? room_q : head_q.destination_length;
    end
    if (state_q == StFail || plain_q || (head_q.opcode == OpInstall && state_q == StDestination))
      emit_length = '0;
  end

  logic take;                    // an entry is used up
  logic head;                    // ... or may be, as a job's first
  assign entry_ready_o = take;
  always_comb begin
    take    = 1'b0;
    emit    = 1'b0;
    state_d = state_q;
    case (state_q)
      StHead: ;
      StMore: if (entry_valid_i) begin
        take    = 1'b1;
        state_d = !part_ok ? StSkip : first_q || sources_q != '0 ? StSource : StDestination;
      end
      StSource: if (room_i) begin
        if (need_part) state_d = held_q.last ? StFail : StMore;
        else begin
          emit = 1'b1;
          if (emit_last) state_d = StDestination;
        end
      end
      StDestination: if (room_i) begin
        if (need_part) state_d = held_q.last ? StFail : StMore;
        else begin
          emit = 1'b1;
          if (emit_last) state_d = StHead;
        end
      end
      StSkip: if (held_q.last) state_d = StFail;
              else take = entry_valid_i;
      StFail: if (room_i) begin
        emit = 1'b1;
        if (source_done_q) state_d = StHead;
      end
      default: if (held_q.last) state_d = StHead;
               else take = entry_valid_i;
    endcase
    // The next job's head is taken in the cycle in which the last segment goes out.
    head = state_q == StHead || (state_q == StDestination && emit && emit_last);
    if (head && entry_valid_i) begin
      take = 1'b1;
      if (head_nobodys)           state_d = StDrop;
      else if (head_status != '0) state_d = StSkip;
      else                        state_d = (entry_head.flags & FlagContinued) != '0 ? StMore : StSource;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) state_q <= StHead;
    else       state_q <= state_d;
  end

  always_ff @(posedge clk_i) begin
    if (take) held_q <= entry_i;
    if (state_q == StMore && entry_valid_i) begin
      part_q  <= entry_part;
      first_q <= 1'b0;
      slot_q  <= '0;
      if (first_q) begin
        room_q         <= entry_part.length[6];
        sources_q      <= entry_part.sources[4:0];
        destinations_q <= entry_part.destinations[4:0];
      end
      if (!part_ok) begin
        status_q <= StatusBadDescriptor;
        fatal_q  <= 1'b1;
      end
    end
    if (state_d == StFail && (state_q == StSource || state_q == StDestination)) begin
      status_q <= StatusBadDescriptor;
      fatal_q  <= 1'b1;
    end
    if (emit) begin
      if (emit_source) begin
        first_source_q <= 1'b0;
        source_done_q  <= emit_last;
        sources_q      <= sources_q - 5'd1;
        if (!first_source_q) slot_q <= slot_q + 3'd1;
      end else begin
        first_destination_q <= 1'b0;
        destinations_q      <= destinations_q - 5'd1;
        if (!first_destination_q) slot_q <= slot_q + 3'd1;
      end
    end
    if (head) begin
      head_q              <= entry_head;
      config_q            <= entry_config;
      first_q             <= 1'b1;
      source_done_q       <= 1'b0;
      first_source_q      <= 1'b1;
      first_destination_q <= 1'b1;
      slot_q              <= '0;
      sources_q           <= 5'd1;
      destinations_q      <= 5'd1;
      status_q            <= head_status;
      fatal_q             <= head_fatal;
      plain_q             <= head_plain;
    end
  end

  // ---- Checks, two pipeline stages behind the walk. ----
  typedef struct packed {
    logic          valid;
    logic          source;
    logic          last;
    logic          below;        // starts before the window
    logic [64:0]   past;         // first address behind the segment
    segment_t      segment;
  } check_t;
  check_t s1_q;
  job_t   s1_job_q;
  logic        s1_fatal_q;
  logic [63:0] s1_limit_q;
  logic [19:0] source_sum_q, destination_sum_q;   // with s1's segment
  logic [17:0] most;             // octets the engine may answer with, rounded up to a beat
  assign most = head_q.opcode == OpSeal ?
                  18'(head_q.source_length) + 18'(head_q.tfc_length) + 18'(head_q.pad_length) + 18'd191 :
                head_q.opcode == OpOpen ? 18'(head_q.source_length) + 18'd63 : '0;

  always_ff @(posedge clk_i) begin
    s1_q.valid   <= !rst_i && emit;
    s1_q.source  <= emit_source;
    s1_q.last    <= emit_last;
    s1_q.below   <= emit_address < config_q.window_base;
    s1_q.past    <= {1'b0, emit_address} + 65'(emit_length);
    s1_q.segment <= '{last: emit_last, length: emit_length, address: emit_address};
    s1_limit_q   <= config_q.window_limit;
    s1_fatal_q   <= fatal_q;
    s1_job_q     <= '{queue: held_q.queue, failed: status_q != '0, status: status_q,
                      output_beats: most[17:6], descriptor: head_q};
    if (emit) begin
      if (emit_source) source_sum_q <= 20'(emit_length) + (first_source_q ? '0 : source_sum_q);
      else        destination_sum_q <= 20'(emit_length) + (first_destination_q ? '0 : destination_sum_q);
    end
  end

  // Does the segment lie in the window?  Do the lengths add up?
  logic outside, bad_so_far_q, bad_sum, too_much;
  assign outside  = s1_q.segment.length != '0 &&
                    (s1_q.below || s1_q.past[64] || s1_q.past[63:0] > s1_limit_q);
  logic bad_address;
  assign bad_address = outside || bad_so_far_q;
  assign bad_sum  = (s1_job_q.descriptor.opcode inside {OpSeal, OpOpen, OpInstall} &&
                     source_sum_q != 20'(s1_job_q.descriptor.source_length)) ||
                    (s1_job_q.descriptor.opcode inside {OpSeal, OpOpen} &&
                     destination_sum_q != 20'(s1_job_q.descriptor.destination_length));
  assign too_much = 32'(s1_job_q.output_beats) > OutputBeats;

  logic finish;                  // the job's last segment passes
  assign finish = s1_q.valid && !s1_q.source && s1_q.last;

  always_ff @(posedge clk_i) begin
    if (rst_i || finish) bad_so_far_q <= 1'b0;
    else if (s1_q.valid) bad_so_far_q <= bad_address;
  end

  status_t verdict;
  logic    verdict_fatal;
  always_comb begin
    verdict       = '0;
    verdict_fatal = 1'b0;
    if (s1_job_q.failed) begin
      verdict       = s1_job_q.status;
      verdict_fatal = s1_fatal_q;
    end else if (bad_sum || bad_address) begin
      verdict       = bad_sum ? StatusBadDescriptor : StatusBadAddress;
      verdict_fatal = 1'b1;
    end else if (too_much) begin
      verdict       = StatusTooLong;
    end
  end

  select_t s1_queue;
  assign s1_queue = select_t'(s1_job_q.queue);
  always_ff @(posedge clk_i) begin
    source_valid_o      <= !rst_i && s1_q.valid && s1_q.source;
    destination_valid_o <= !rst_i && s1_q.valid && !s1_q.source;
    job_valid_o         <= !rst_i && finish;
    source_o      <= '{last: s1_q.last, length: outside ? '0 : s1_q.segment.length,
                       address: s1_q.segment.address};
    destination_o <= '{last: s1_q.last, length: outside ? '0 : s1_q.segment.length,
                       address: s1_q.segment.address};
    job_o         <= s1_job_q;
    job_o.failed  <= verdict != '0;
    job_o.status  <= verdict;
  end

  // ---- What the queue must know. ----
  logic head_stop;
  assign head_stop = head && entry_valid_i && head_nobodys && head_fatal;
  always_ff @(posedge clk_i) begin
    stop_o <= '0;
    if (finish && verdict_fatal) begin
      stop_o[s1_queue]        <= !rst_i;
      stop_status_o[s1_queue] <= verdict;
    end
    if (head_stop) begin
      stop_o[entry_queue]        <= !rst_i;
      stop_status_o[entry_queue] <= head_status;
    end
  end

  // An answered job's completion stands for its head; every other entry is used up here.
  always_comb begin
    unanswered_o = '0;
    release_o    = '0;
    if (take && (!head || head_nobodys)) unanswered_o[entry_queue] = 1'b1;
    if (take && head && head_nobodys && entry_i.reserved) release_o[entry_queue] = 1'b1;
  end

  logic unused;
  assign unused = ^{part_q, config_q, held_q.read_error, held_q.stale, held_q.reserved, held_q.data, most[5:0]};
endmodule
