// SPDX-License-Identifier: BSD-2-Clause-Patent

// Writes completions: 16 bytes each, gathered into 64-byte lines.
//
// Purpose:       gives each finished job its place in its queue's completion ring, phase and CRC-32C, and
//                collects neighbours into one write: a line goes out when it is full, or when nothing was
//                added to it for Patience cycles.  A write never crosses a line, and lines of a queue go out
//                in order.
// Latency:       4 cycles to the write request when a line fills; Patience more for a lone completion.
// Back-pressure: done_* valid/ready; AXI4 on the write port; responses are never refused.
// Reset:         synchronous; only while idle_o.
module esp_completion
  import espalier_pkg::*;
  import esp_shell_pkg::*;
#(
  parameter int unsigned Queues   = 4,      // queue pairs
  parameter int unsigned Patience = 16,     // cycles, 1..31
  parameter int unsigned Writes   = 256     // lines in flight
) (
  input  logic                       clk_i,
  input  logic                       rst_i,
  input  logic                       quiesce_i,    // announce nothing new on AXI
  output logic                       idle_o,       // no write stands or is in flight
  input  queue_config_t [Queues-1:0] config_i,
  input  logic   [Queues-1:0]        restart_i,    // the queue starts anew at slot 0

  input  logic                       done_valid_i,
  output logic                       done_ready_o,
  input  finished_t                  done_i,

  output logic                       aw_valid_o,
  input  logic                       aw_ready_i,
  output axi_address_t               aw_o,
  output logic                       w_valid_o,
  input  logic                       w_ready_i,
  output axi_write_t                 w_o,
  input  logic                       b_valid_i,
  input  logic [1:0]                 b_resp_i,

  output logic   [Queues-1:0]        complete_o,   // a completion took its slot
  output logic   [Queues-1:0][2:0]   landed_o,     // completions now in memory
  output logic   [Queues-1:0]        failed_o      // a completion write failed
);
  localparam int unsigned SelectWidth = Queues > 1 ? $clog2(Queues) : 1;
  typedef logic [SelectWidth-1:0] select_t;

  // CRC-32C (reflected 0x82f63b78, inverted in and out) of 12 octets, lowest first.
  function automatic logic [31:0] crc32c(logic [95:0] octets);
    logic [31:0] crc;
    crc = '1;
    for (int i = 0; i < 96; i++) begin
      crc = {1'b0, crc[31:1]} ^ (crc[0] ^ octets[i] ? 32'h82f63b78 : 32'h0);
    end
    return ~crc;
  endfunction

  // Stage 1: slot and phase.  Stage 2: CRC.
  index_t [Queues-1:0] next_q;
  select_t     done_queue;
  logic        move, s1_valid_q, s2_valid_q;
  completion_t s1_q, s2_q;
  index_t      s1_slot_q, s2_slot_q;
  assign done_queue   = select_t'(done_i.queue);
  assign done_ready_o = move;
  assign move         = !s2_valid_q || insert;
  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      s1_valid_q <= 1'b0;
      s2_valid_q <= 1'b0;
    end else if (move) begin
      s1_valid_q <= done_valid_i;
      s2_valid_q <= s1_valid_q;
    end
    for (int q = 0; q < int'(Queues); q++) begin
      if (rst_i || restart_i[q]) next_q[q] <= '0;
      else if (move && done_valid_i && done_queue == select_t'(q)) next_q[q] <= next_q[q] + 16'd1;
    end
    if (move) begin
      s1_slot_q <= next_q[done_queue];
      s1_q      <= '{tag: done_i.tag, epoch: done_i.epoch, status: done_i.status, length: done_i.length,
                     crc: '0, next_header: done_i.next_header, tos: done_i.tos, queue: 8'(done_i.queue),
                     phase: {7'h0, !next_q[done_queue][config_i[done_queue].completion_log2]}};
      s2_slot_q <= s1_slot_q;
      s2_q      <= s1_q;
      s2_q.crc  <= crc32c({s1_q.phase, s1_q.queue, s1_q.tos, s1_q.next_header,
                           s1_q.length, s1_q.status, s1_q.epoch, s1_q.tag});
    end
  end
  always_comb begin
    complete_o = '0;
    if (move && done_valid_i) complete_o[done_queue] = 1'b1;
  end

  // Lines being filled, one a queue.
  typedef struct packed {
    logic [3:0]        mask;       // completions in it
    logic [13:0]       number;     // line of the ring, free-running
    completion_t [3:0] slots;
  } line_t;
  line_t      line_q [Queues];
  logic [4:0] age_q  [Queues];
  logic [Queues-1:0] full, due;
  logic    any_full, any_due, flush, room, insert;
  select_t full_queue, due_queue, flush_queue, s2_queue;
  assign s2_queue = select_t'(s2_q.queue);
  for (genvar q = 0; q < int'(Queues); q++) begin : gen_due
    assign full[q] = line_q[q].mask[3];
    assign due[q]  = line_q[q].mask != '0 && 32'(age_q[q]) >= Patience;
  end
  esp_round_robin #(.Requests(Queues)) u_full (
    .clk_i, .rst_i, .request_i(full), .take_i(flush && any_full), .any_o(any_full), .chosen_o(full_queue)
  );
  esp_round_robin #(.Requests(Queues)) u_due (
    .clk_i, .rst_i, .request_i(due), .take_i(flush && !any_full), .any_o(any_due), .chosen_o(due_queue)
  );
  assign flush       = room && !quiesce_i && (any_full || any_due);
  assign flush_queue = any_full ? full_queue : due_queue;
  // A line that is full waits for its write; into one that is leaving nothing is added.
  assign insert      = s2_valid_q && !full[s2_queue] && !(flush && flush_queue == s2_queue);

  always_ff @(posedge clk_i) begin
    for (int q = 0; q < int'(Queues); q++) begin
      if (rst_i || (flush && flush_queue == select_t'(q))) line_q[q].mask <= '0;
      else if (insert && s2_queue == select_t'(q)) begin
        line_q[q].mask[s2_slot_q[1:0]] <= 1'b1;
        line_q[q].number               <= s2_slot_q[15:2];
      end
      if (insert && s2_queue == select_t'(q)) line_q[q].slots[s2_slot_q[1:0]] <= s2_q;
      if (insert && s2_queue == select_t'(q)) age_q[q] <= '0;
      else if (32'(age_q[q]) < Patience)      age_q[q] <= age_q[q] + 5'd1;
    end
  end

  // The write: address and data enter their FIFOs together.
  typedef struct packed {
    select_t    queue;
    logic [2:0] count;
  } flight_t;
  line_t         leaving;
  queue_config_t leaving_config;
  logic [15:0]   leaving_slot;
  assign leaving        = line_q[flush_queue];
  assign leaving_config = config_i[flush_queue];
  assign leaving_slot   = {leaving.number, 2'b00} & ((16'd1 << leaving_config.completion_log2) - 16'd1);

  logic         out_valid_q, aw_room, w_room, flight_room, flight_valid;
  axi_address_t aw_q;
  axi_write_t   w_q;
  flight_t      flight_q, flight;
  assign room = aw_room && w_room && flight_room;
  always_ff @(posedge clk_i) begin
    out_valid_q <= !rst_i && flush;
    aw_q        <= '{id: '0, len: '0, addr: leaving_config.completion_base + {44'h0, leaving_slot, 4'h0}};
    w_q.last    <= 1'b1;
    w_q.data    <= leaving.slots;
    for (int i = 0; i < 4; i++) w_q.strb[16*i+:16] <= {16{leaving.mask[i]}};
    flight_q    <= '{queue: flush_queue, count: 3'(leaving.mask[0]) + 3'(leaving.mask[1]) +
                                                3'(leaving.mask[2]) + 3'(leaving.mask[3])};
  end
  esp_fifo #(.Width($bits(axi_address_t)), .Depth(8), .Margin(2)) u_aw (
    .clk_i, .rst_i, .valid_i(out_valid_q), .data_i(aw_q), .room_o(aw_room),
    .valid_o(aw_valid_o), .data_o(aw_o), .ready_i(aw_ready_i)
  );
  esp_fifo #(.Width($bits(axi_write_t)), .Depth(8), .Margin(2)) u_w (
    .clk_i, .rst_i, .valid_i(out_valid_q), .data_i(w_q), .room_o(w_room),
    .valid_o(w_valid_o), .data_o(w_o), .ready_i(w_ready_i)
  );
  esp_fifo #(.Width($bits(flight_t)), .Depth(Writes), .Margin(2), .BlockRam(1'b0)) u_flight (
    .clk_i, .rst_i, .valid_i(out_valid_q), .data_i(flight_q), .room_o(flight_room),
    .valid_o(flight_valid), .data_o(flight), .ready_i(b_valid_i)
  );
  logic unused;
  assign unused = ^{b_resp_i[0], done_i.writes, leaving_config};
  assign idle_o = !out_valid_q && !flight_valid;

  always_comb begin
    landed_o = '0;
    failed_o = '0;
    if (b_valid_i) begin
      landed_o[flight.queue] = flight.count;
      failed_o[flight.queue] = b_resp_i[1];
    end
  end
endmodule
