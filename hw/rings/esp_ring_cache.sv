// SPDX-License-Identifier: BSD-2-Clause-Patent

// Entry cache: fetched ring entries wait here, one region a queue, until their job's turn.
//
// Purpose:       takes read data of all queues in any interleaving, finds where jobs end, and hands out
//                whole jobs, queue after queue in turn, Quantum jobs at a time.  Only a job that is complete
//                here and has a completion slot is handed out; a queue that waits for either stalls nobody.
// Latency:       4 cycles from the last entry's data to the first entry out; 1 entry a cycle.
// Back-pressure: read data is never refused (esp_ring_fetch reserves room); entry_o is valid/ready.
// Reset:         synchronous; everything held is forgotten.
//
// A queue that is not alive hands out its entries too, with a completion slot if there is one: the parser
// answers them as aborted or drops them, so that the queue becomes idle.
module esp_ring_cache
  import espalier_pkg::*;
  import esp_shell_pkg::*;
#(
  parameter int unsigned Queues    = 4,  // queue pairs, 1..16
  parameter int unsigned Log2      = 8,  // log2 of the entries a queue may have here, 4..15
  parameter int unsigned Quantum   = 4   // jobs of a queue's turn, >= 1
) (
  input  logic                       clk_i,
  input  logic                       rst_i,

  input  queue_config_t [Queues-1:0] config_i,
  input  logic   [Queues-1:0]        restart_i,    // the queue starts anew; nothing of it is here
  input  logic   [Queues-1:0]        room_i,       // a completion slot is free
  output index_t        [Queues-1:0] taken_o,      // entries handed out
  output logic   [Queues-1:0]        reserve_o,    // a job starts and takes its completion slot

  input  logic                       r_valid_i,
  input  axi_read_t                  r_i,

  output logic                       entry_valid_o,
  input  logic                       entry_ready_i,
  output entry_t                     entry_o
);
  localparam int unsigned SelectWidth = Queues > 1 ? $clog2(Queues) : 1;
  typedef logic [SelectWidth-1:0] select_t;
  localparam int unsigned Words = Queues << Log2;

  // Write side: which entry is a job's last?  A descriptor without continuations is; otherwise the first
  // continuation says how many there are.  Nonsense ends the job: the parser will find the same.
  index_t     [Queues-1:0] taken_q;
  assign taken_o = taken_q;
  index_t     [Queues-1:0] arrived_q;     // entries whose data came
  logic       [Queues-1:0] opened_q;      // a descriptor was seen, its first continuation not yet
  logic [2:0] more_q [Queues];            // continuations still to come
  select_t       in_queue;
  index_t        in_index;
  descriptor_t   in_descriptor;
  continuation_t in_continuation;
  logic [4:0]    in_segments;
  logic [2:0]    in_continuations;
  logic          in_sane, in_last, in_stale;

  assign in_queue         = select_t'(r_i.id);
  assign in_index         = arrived_q[in_queue];
  assign in_descriptor    = r_i.data;
  assign in_continuation  = r_i.data;
  assign in_segments      = 5'(in_continuation.sources) + 5'(in_continuation.destinations) - 5'd2;
  assign in_continuations = in_segments == 5'd0  ? 3'd0 : in_segments <= 5'd5  ? 3'd1 :
                            in_segments <= 5'd10 ? 3'd2 : in_segments <= 5'd15 ? 3'd3 :
                            in_segments <= 5'd20 ? 3'd4 : in_segments <= 5'd25 ? 3'd5 : 3'd6;
  assign in_sane          = in_continuation.opcode == OpContinuation &&
                            in_continuation.sources inside {[8'd1:8'(MaxSegments)]} &&
                            in_continuation.destinations inside {[8'd1:8'(MaxSegments)]};
  // First pass over the ring: phase 1.
  assign in_stale         = in_descriptor.flags[7] == in_index[config_i[in_queue].submission_log2];

  logic [2:0] more;
  assign more    = opened_q[in_queue] ? (in_sane && in_continuations != 0 ? in_continuations - 3'd1 : 3'd0)
                                      : more_q[in_queue] - 3'd1;
  logic inside_job;
  assign inside_job = opened_q[in_queue] || more_q[in_queue] != 0;
  assign in_last    = inside_job ? more == 0 : (in_descriptor.flags & FlagContinued) == 0;

  typedef struct packed {
    logic  read_error;
    logic  stale;
    beat_t data;
  } word_t;
  (* ram_style = "block" *) word_t ram [Words];
  (* ram_style = "distributed" *) logic last_ram [Words];

  always_ff @(posedge clk_i) begin
    if (r_valid_i) begin
      ram[{in_queue, in_index[Log2-1:0]}]      <= '{read_error: r_i.resp[1], stale: in_stale, data: r_i.data};
      last_ram[{in_queue, in_index[Log2-1:0]}] <= in_last;
    end
  end

  always_ff @(posedge clk_i) begin
    for (int q = 0; q < int'(Queues); q++) begin
      if (rst_i || restart_i[q]) begin
        arrived_q[q] <= '0;
        opened_q[q]  <= 1'b0;
        more_q[q]    <= '0;
      end else if (r_valid_i && in_queue == select_t'(q)) begin
        arrived_q[q] <= in_index + 16'd1;
        opened_q[q]  <= !inside_job && !in_last;
        more_q[q]    <= inside_job ? more : '0;
      end
    end
  end

  // Read side: whole jobs in turn.
  logic [Log2:0]     jobs_q [Queues];      // complete jobs here
  logic [Queues-1:0] ready;
  for (genvar q = 0; q < int'(Queues); q++) begin : gen_ready
    logic arrives, leaves;
    assign ready[q] = jobs_q[q] != '0 && (room_i[q] || !config_i[q].alive);
    assign arrives  = r_valid_i && in_queue == select_t'(q) && in_last;
    assign leaves   = start && source == select_t'(q);
    always_ff @(posedge clk_i) begin
      if (rst_i) jobs_q[q] <= '0;
      else       jobs_q[q] <= jobs_q[q] + (Log2 + 1)'(arrives) - (Log2 + 1)'(leaves);
    end
  end

  logic    any, start, step, in_job_q, out_room, reserved, reserved_q;
  select_t chosen, current_q, source;
  logic [$clog2(Quantum+1)-1:0] quantum_q;
  logic    stay;
  esp_round_robin #(.Requests(Queues)) u_turn (
    .clk_i, .rst_i, .request_i(ready), .take_i(start && !stay), .any_o(any), .chosen_o(chosen)
  );
  assign stay     = quantum_q != '0 && ready[current_q];
  assign source   = in_job_q || stay ? current_q : chosen;
  assign start    = out_room && !in_job_q && any;
  assign step     = start || (out_room && in_job_q);
  assign reserved = in_job_q ? reserved_q : room_i[source];

  logic [SelectWidth+Log2-1:0] out_address;
  logic out_last;
  assign out_address = {source, taken_q[source][Log2-1:0]};
  assign out_last    = last_ram[out_address];

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      in_job_q  <= 1'b0;
      quantum_q <= '0;
      taken_q   <= '0;
    end else begin
      if (step)  in_job_q  <= !out_last;
      if (start) quantum_q <= stay ? quantum_q - 1'b1 : ($clog2(Quantum+1))'(Quantum - 1);
      for (int q = 0; q < int'(Queues); q++) begin
        if (restart_i[q]) taken_q[q] <= '0;
        else if (step && source == select_t'(q)) taken_q[q] <= taken_q[q] + 16'd1;
      end
    end
    if (start) begin
      current_q  <= source;
      reserved_q <= room_i[source];
    end
  end

  always_comb begin
    reserve_o = '0;
    if (start) reserve_o[source] = room_i[source];
  end

  logic unused;
  assign unused = ^{r_i.last, r_i.resp[0], r_i.id, in_descriptor, in_continuation};

  // One cycle through the RAM, then a FIFO that was asked for room before.
  typedef struct packed {
    queue_t queue;
    logic   last;
    logic   reserved;
  } label_t;
  logic   read_q;
  word_t  word_q;
  label_t label_q;
  entry_t fifo_in;
  always_ff @(posedge clk_i) begin
    read_q <= !rst_i && step;
    if (step) begin
      word_q  <= ram[out_address];
      label_q <= '{queue: queue_t'(source), last: out_last, reserved: reserved};
    end
  end
  assign fifo_in = '{queue: label_q.queue, read_error: word_q.read_error, stale: word_q.stale,
                     last: label_q.last, reserved: label_q.reserved, data: word_q.data};
  esp_fifo #(.Width($bits(entry_t)), .Depth(8), .Margin(2)) u_out (
    .clk_i, .rst_i, .valid_i(read_q), .data_i(fifo_in), .room_o(out_room),
    .valid_o(entry_valid_o), .data_o(entry_o), .ready_i(entry_ready_i)
  );
endmodule
