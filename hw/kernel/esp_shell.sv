// SPDX-License-Identifier: BSD-2-Clause-Patent

// The shell: everything between host memory and the packet engine.
//
// A job's way, module by module:
//   doorbell -> esp_queue -> esp_ring_fetch -> esp_ring_cache -> esp_job_parse
//     source segments -> esp_burst_split -> esp_read_buffer -> esp_gather -> engine data
//     job             -> esp_gate (payload on chip, room for the result)  -> engine job
//   engine result -> esp_write_plan -> esp_scatter -> memory;  write responses -> esp_retire
//     -> esp_completion -> completion ring
// Jobs keep their order from esp_ring_cache to the completion; nothing on the way depends on a queue's
// good behaviour, so no queue can stall another.
//
// Reset:  synchronous; rst_i is the kernel's reset, engine_rst_o the engine's.
module esp_shell
  import espalier_pkg::*;
  import esp_shell_pkg::*;
#(
  parameter int unsigned Queues       = 4,       // queue pairs, 1..16
  parameter int unsigned Slots        = 16384,   // SA slots of the engine
  parameter int unsigned MaxPacket    = 9600,    // octets of source or result
  parameter int unsigned ReadBeats    = 1024,    // reorder buffer, beats of 64 bytes
  parameter int unsigned OutputBeats  = 1024,    // output buffer, beats
  parameter int unsigned Jobs         = 512,     // jobs between parser and completion
  parameter logic [31:0] Capabilities = '0,
  parameter int unsigned ClockKhz     = 0
) (
  input  logic         clk_i,
  input  logic         rst_i,

  // AXI4-Lite registers.
  input  logic         csr_awvalid_i,
  output logic         csr_awready_o,
  input  logic [15:0]  csr_awaddr_i,
  input  logic         csr_wvalid_i,
  output logic         csr_wready_o,
  input  logic [31:0]  csr_wdata_i,
  input  logic [3:0]   csr_wstrb_i,
  output logic         csr_bvalid_o,
  input  logic         csr_bready_i,
  input  logic         csr_arvalid_i,
  output logic         csr_arready_o,
  input  logic [15:0]  csr_araddr_i,
  output logic         csr_rvalid_o,
  input  logic         csr_rready_i,
  output logic [31:0]  csr_rdata_o,

  // AXI4 master of the rings.  Read data and write responses are never refused.
  output logic         ring_ar_valid_o,
  input  logic         ring_ar_ready_i,
  output axi_address_t ring_ar_o,
  input  logic         ring_r_valid_i,
  input  axi_read_t    ring_r_i,
  output logic         ring_aw_valid_o,
  input  logic         ring_aw_ready_i,
  output axi_address_t ring_aw_o,
  output logic         ring_w_valid_o,
  input  logic         ring_w_ready_i,
  output axi_write_t   ring_w_o,
  input  logic         ring_b_valid_i,
  input  logic [1:0]   ring_b_resp_i,

  // AXI4 master of the payload, likewise.
  output logic         data_ar_valid_o,
  input  logic         data_ar_ready_i,
  output axi_address_t data_ar_o,
  input  logic         data_r_valid_i,
  input  axi_read_t    data_r_i,
  output logic         data_aw_valid_o,
  input  logic         data_aw_ready_i,
  output axi_address_t data_aw_o,
  output logic         data_w_valid_o,
  input  logic         data_w_ready_i,
  output axi_write_t   data_w_o,
  input  logic         data_b_valid_i,
  input  logic [1:0]   data_b_resp_i,

  // The engine's four streams (docs/architecture.md).
  output logic         engine_rst_o,
  output logic         job_valid_o,
  input  logic         job_ready_i,
  output descriptor_t  job_o,
  output logic [15:0]  job_ticket_o,
  output logic         in_valid_o,
  input  logic         in_ready_i,
  output beat_t        in_o,
  output logic         in_last_o,
  input  logic         result_valid_i,
  output logic         result_ready_o,
  input  result_t      result_i,
  input  logic         out_valid_i,
  output logic         out_ready_o,
  input  beat_t        out_i,
  input  logic         out_last_i
);
  if (OutputBeats * BeatBytes < 2 * MaxPacket || ReadBeats * BeatBytes < 2 * MaxPacket) begin : gen_check
    $error("esp_shell: the buffers must hold two packets of MaxPacket octets");
  end

  logic core_rst, quiesce, void_writes;
  assign engine_rst_o = core_rst;

  // ---- Registers ----
  logic        reg_write, reg_read;
  logic [15:0] reg_write_addr, reg_read_addr;
  logic [31:0] reg_write_data, reg_read_data, counter_data;
  logic        soft_reset, drain, ready, reset_ack, drained;
  logic [3:0]  errors;
  logic [Queues-1:0]       queue_write;
  logic [Queues-1:0][31:0] queue_data;

  esp_axi_lite u_axi_lite (
    .clk_i, .rst_i,
    .awvalid_i(csr_awvalid_i), .awready_o(csr_awready_o), .awaddr_i(csr_awaddr_i),
    .wvalid_i(csr_wvalid_i), .wready_o(csr_wready_o), .wdata_i(csr_wdata_i), .wstrb_i(csr_wstrb_i),
    .bvalid_o(csr_bvalid_o), .bready_i(csr_bready_i),
    .arvalid_i(csr_arvalid_i), .arready_o(csr_arready_o), .araddr_i(csr_araddr_i),
    .rvalid_o(csr_rvalid_o), .rready_i(csr_rready_i), .rdata_o(csr_rdata_o),
    .write_o(reg_write), .write_addr_o(reg_write_addr), .write_data_o(reg_write_data),
    .read_o(reg_read), .read_addr_o(reg_read_addr), .read_data_i(reg_read_data)
  );
  esp_registers #(
    .Queues(Queues), .Slots(Slots), .MaxPacket(MaxPacket), .Capabilities(Capabilities), .ClockKhz(ClockKhz)
  ) u_registers (
    .clk_i, .rst_i,
    .write_i(reg_write), .write_addr_i(reg_write_addr), .write_data_i(reg_write_data),
    .read_i(reg_read), .read_addr_i(reg_read_addr), .read_data_o(reg_read_data),
    .queue_write_o(queue_write), .queue_data_i(queue_data), .counter_data_i(counter_data),
    .reset_o(soft_reset), .drain_o(drain), .ready_i(ready), .reset_ack_i(reset_ack),
    .drained_i(drained), .errors_i(errors)
  );

  // ---- Queues ----
  queue_config_t [Queues-1:0] queue_config;
  index_t  [Queues-1:0] doorbell, fetched, taken;
  logic    [Queues-1:0] slot_room, stopped, restart, reserve, unanswered, released, completed, parse_stop;
  logic    [Queues-1:0] ring_failed, queue_idle;
  logic    [Queues-1:0][4:0] fetch;
  logic    [Queues-1:0][2:0] landed;
  status_t [Queues-1:0] parse_status;
  for (genvar q = 0; q < int'(Queues); q++) begin : gen_queue
    esp_queue u_queue (
      .clk_i, .rst_i(core_rst),
      .write_i(queue_write[q]), .write_addr_i(reg_write_addr[7:0]), .write_data_i(reg_write_data),
      .read_addr_i(reg_read_addr[7:0]), .read_data_o(queue_data[q]),
      .config_o(queue_config[q]), .doorbell_o(doorbell[q]), .fetched_o(fetched[q]),
      .room_o(slot_room[q]), .stopped_o(stopped[q]), .restart_o(restart[q]), .idle_o(queue_idle[q]),
      .fetch_i(fetch[q]), .reserve_i(reserve[q]), .release_i(released[q]), .unanswered_i(unanswered[q]),
      .complete_i(completed[q]), .landed_i(landed[q]),
      .stop_i(parse_stop[q] || ring_failed[q]),
      .stop_status_i(parse_stop[q] ? parse_status[q] : StatusWriteError)
    );
  end

  // ---- Submission rings ----
  logic   fetch_idle, entry_valid, entry_ready;
  entry_t entry;
  esp_ring_fetch #(.Queues(Queues)) u_fetch (
    .clk_i, .rst_i(core_rst), .quiesce_i(quiesce || drain),
    .config_i(queue_config), .doorbell_i(doorbell), .fetched_i(fetched), .taken_i(taken), .fetch_o(fetch),
    .ar_valid_o(ring_ar_valid_o), .ar_ready_i(ring_ar_ready_i), .ar_o(ring_ar_o),
    .r_valid_i(ring_r_valid_i), .idle_o(fetch_idle)
  );
  esp_ring_cache #(.Queues(Queues)) u_cache (
    .clk_i, .rst_i(core_rst), .config_i(queue_config), .restart_i(restart), .room_i(slot_room),
    .taken_o(taken), .reserve_o(reserve), .r_valid_i(ring_r_valid_i), .r_i(ring_r_i),
    .entry_valid_o(entry_valid), .entry_ready_i(entry_ready), .entry_o(entry)
  );

  // ---- Jobs and segments ----
  logic     source_valid, source_room, source_out_valid, source_out_ready;
  logic     target_valid, target_room, target_out_valid, target_out_ready;
  logic     parsed_valid, parsed_room, job_valid, job_ready;
  segment_t source, source_out, target, target_out;
  job_t     parsed, job;
  esp_job_parse #(.Queues(Queues), .MaxPacket(MaxPacket), .OutputBeats(OutputBeats)) u_parse (
    .clk_i, .rst_i(core_rst), .config_i(queue_config),
    .entry_valid_i(entry_valid), .entry_ready_o(entry_ready), .entry_i(entry),
    .room_i(source_room && target_room && parsed_room),
    .source_valid_o(source_valid), .source_o(source),
    .destination_valid_o(target_valid), .destination_o(target),
    .job_valid_o(parsed_valid), .job_o(parsed),
    .stop_o(parse_stop), .stop_status_o(parse_status), .unanswered_o(unanswered), .release_o(released)
  );
  esp_fifo #(.Width($bits(segment_t)), .Depth(32), .Margin(5)) u_sources (
    .clk_i, .rst_i(core_rst), .valid_i(source_valid), .data_i(source), .room_o(source_room),
    .valid_o(source_out_valid), .data_o(source_out), .ready_i(source_out_ready)
  );
  esp_fifo #(.Width($bits(segment_t)), .Depth(Jobs), .Margin(5)) u_targets (
    .clk_i, .rst_i(core_rst), .valid_i(target_valid), .data_i(target), .room_o(target_room),
    .valid_o(target_out_valid), .data_o(target_out), .ready_i(target_out_ready)
  );
  esp_fifo #(.Width($bits(job_t)), .Depth(Jobs), .Margin(5)) u_jobs (
    .clk_i, .rst_i(core_rst), .valid_i(parsed_valid), .data_i(parsed), .room_o(parsed_room),
    .valid_o(job_valid), .data_o(job), .ready_i(job_ready)
  );

  // ---- Payload in ----
  logic        burst_valid, burst_ready, read_idle, on_chip, on_chip_error, order, order_drop, order_ready;
  burst_t      burst;
  logic [63:0] burst_address;
  logic        piece_valid, piece_ready, piece_last, packed_valid, packed_last, packed_room;
  beat_t       piece_data, packed_beat;
  logic [5:0]  piece_offset;
  logic [6:0]  piece_bytes;
  esp_burst_split u_split (
    .clk_i, .rst_i(core_rst),
    .segment_valid_i(source_out_valid), .segment_ready_o(source_out_ready), .segment_i(source_out),
    .burst_valid_o(burst_valid), .burst_ready_i(burst_ready), .burst_o(burst), .address_o(burst_address)
  );
  esp_read_buffer #(.Beats(ReadBeats)) u_read (
    .clk_i, .rst_i(core_rst), .quiesce_i(quiesce), .idle_o(read_idle),
    .burst_valid_i(burst_valid), .burst_ready_o(burst_ready), .burst_i(burst), .address_i(burst_address),
    .ar_valid_o(data_ar_valid_o), .ar_ready_i(data_ar_ready_i), .ar_o(data_ar_o),
    .r_valid_i(data_r_valid_i), .r_i(data_r_i),
    .ready_valid_o(on_chip), .ready_error_o(on_chip_error),
    .order_valid_i(order), .order_drop_i(order_drop), .order_ready_o(order_ready),
    .piece_valid_o(piece_valid), .piece_ready_i(piece_ready), .piece_data_o(piece_data),
    .piece_offset_o(piece_offset), .piece_bytes_o(piece_bytes), .piece_last_o(piece_last)
  );
  esp_gather u_gather (
    .clk_i, .rst_i(core_rst),
    .piece_valid_i(piece_valid), .piece_ready_o(piece_ready), .piece_data_i(piece_data),
    .piece_offset_i(piece_offset), .piece_bytes_i(piece_bytes), .piece_last_i(piece_last),
    .room_i(packed_room), .beat_valid_o(packed_valid), .beat_o(packed_beat), .last_o(packed_last)
  );
  esp_fifo #(.Width($bits(beat_t) + 1), .Depth(8), .Margin(3)) u_in (
    .clk_i, .rst_i(core_rst), .valid_i(packed_valid), .data_i({packed_beat, packed_last}),
    .room_o(packed_room), .valid_o(in_valid_o), .data_o({in_o, in_last_o}), .ready_i(in_ready_i)
  );

  // ---- Into the engine ----
  logic        pending_valid, pending_room, pending_out_valid, pending_out_ready;
  pending_t    pending, pending_out;
  logic        give_result, wiping, wipe_valid, wipe_ready, install, blocked;
  logic [11:0] give_beats, plan_beats;
  logic        offer_valid, offer_room;
  logic [15:0] install_slot, offer_ticket;
  descriptor_t wipe_job, offer;
  esp_gate #(.OutputBeats(OutputBeats)) u_gate (
    .clk_i, .rst_i(core_rst),
    .job_valid_i(job_valid), .job_ready_o(job_ready), .job_i(job),
    .ready_valid_i(on_chip), .ready_error_i(on_chip_error),
    .order_valid_o(order), .order_drop_o(order_drop), .order_ready_i(order_ready),
    .pending_valid_o(pending_valid), .pending_o(pending), .pending_room_i(pending_room),
    .engine_valid_o(offer_valid), .engine_room_i(offer_room), .engine_job_o(offer),
    .engine_ticket_o(offer_ticket),
    .give_result_i(give_result), .give_beats_i(give_beats),
    .wipe_valid_i(wipe_valid), .wipe_ready_o(wipe_ready), .wipe_job_i(wipe_job),
    .install_o(install), .install_slot_o(install_slot), .blocked_o(blocked)
  );
  esp_fifo #(.Width($bits(pending_t)), .Depth(Jobs), .Margin(3)) u_pending (
    .clk_i, .rst_i(core_rst), .valid_i(pending_valid), .data_i(pending), .room_o(pending_room),
    .valid_o(pending_out_valid), .data_o(pending_out), .ready_i(pending_out_ready)
  );

  esp_fifo #(.Width($bits(descriptor_t) + 16), .Depth(16), .Margin(2)) u_offers (
    .clk_i, .rst_i(core_rst), .valid_i(offer_valid), .data_i({offer_ticket, offer}), .room_o(offer_room),
    .valid_o(job_valid_o), .data_o({job_ticket_o, job_o}), .ready_i(job_ready_i)
  );

  // ---- Out of the engine: room was reserved, so both streams are always taken. ----
  logic    result_out_valid, plan_result_ready, result_room, out_room;
  result_t result_out;
  logic    beat_valid, beat_ready;
  beat_t   beat;
  esp_fifo #(.Width($bits(result_t)), .Depth(260)) u_results (
    .clk_i, .rst_i(core_rst), .valid_i(result_valid_i && result_ready_o), .data_i(result_i),
    .room_o(result_room), .valid_o(result_out_valid), .data_o(result_out),
    .ready_i(wiping || plan_result_ready)
  );
  esp_fifo #(.Width($bits(beat_t)), .Depth(OutputBeats)) u_output (
    .clk_i, .rst_i(core_rst), .valid_i(out_valid_i && out_ready_o), .data_i(out_i), .room_o(out_room),
    .valid_o(beat_valid), .data_o(beat), .ready_i(beat_ready)
  );
  assign result_ready_o = result_room;
  assign out_ready_o    = out_room;

  // ---- Payload out ----
  logic        plan_room, plan_burst_valid, plan_discard, plan_finished, lost, retire_room, finished_room;
  burst_t      plan_burst;
  logic [63:0] plan_address;
  finished_t   finished, done;
  logic        aw_room, command_room, command_valid, command_ready, command_discard, done_valid, done_ready;
  burst_t      command;
  logic        write_idle;
  assign plan_room = aw_room && command_room && retire_room && finished_room;
  esp_write_plan u_plan (
    .clk_i, .rst_i(core_rst), .quiesce_i(quiesce),
    .pending_valid_i(pending_out_valid), .pending_ready_o(pending_out_ready), .pending_i(pending_out),
    .result_valid_i(result_out_valid && !wiping), .result_ready_o(plan_result_ready), .result_i(result_out),
    .segment_valid_i(target_out_valid), .segment_ready_o(target_out_ready), .segment_i(target_out),
    .room_i(plan_room), .burst_valid_o(plan_burst_valid), .burst_o(plan_burst), .address_o(plan_address),
    .discard_o(plan_discard), .finished_valid_o(plan_finished), .finished_o(finished),
    .give_result_o(give_result), .give_beats_o(plan_beats), .lost_o(lost)
  );
  assign give_beats = plan_beats + 12'(beat_valid && beat_ready);
  esp_fifo #(.Width($bits(axi_address_t)), .Depth(16), .Margin(3)) u_aw (
    .clk_i, .rst_i(core_rst), .valid_i(plan_burst_valid),
    .data_i({AxiIdWidth'(0), 8'(plan_burst.beats) - 8'd1, plan_address}), .room_o(aw_room),
    .valid_o(data_aw_valid_o), .data_o(data_aw_o), .ready_i(data_aw_ready_i)
  );
  esp_fifo #(.Width($bits(burst_t) + 1), .Depth(64), .Margin(3)) u_commands (
    .clk_i, .rst_i(core_rst), .valid_i(plan_burst_valid || plan_discard), .data_i({plan_burst, plan_discard}),
    .room_o(command_room), .valid_o(command_valid), .data_o({command, command_discard}),
    .ready_i(command_ready)
  );
  esp_scatter u_scatter (
    .clk_i, .rst_i(core_rst), .void_i(void_writes),
    .burst_valid_i(command_valid), .burst_ready_o(command_ready), .burst_i(command),
    .discard_i(command_discard), .beat_valid_i(beat_valid), .beat_ready_o(beat_ready), .beat_i(beat),
    .w_valid_o(data_w_valid_o), .w_ready_i(data_w_ready_i), .w_o(data_w_o)
  );
  esp_retire #(.Jobs(Jobs)) u_retire (
    .clk_i, .rst_i(core_rst), .idle_o(write_idle),
    .issue_i(plan_burst_valid), .issue_last_i(plan_burst.last), .issue_room_o(retire_room),
    .b_valid_i(data_b_valid_i), .b_resp_i(data_b_resp_i),
    .finished_valid_i(plan_finished), .finished_i(finished), .finished_room_o(finished_room),
    .done_valid_o(done_valid), .done_ready_i(done_ready), .done_o(done)
  );

  // ---- Completion rings ----
  logic ring_idle;
  esp_completion #(.Queues(Queues)) u_completion (
    .clk_i, .rst_i(core_rst), .quiesce_i(quiesce), .idle_o(ring_idle),
    .config_i(queue_config), .restart_i(restart),
    .done_valid_i(done_valid), .done_ready_o(done_ready), .done_i(done),
    .aw_valid_o(ring_aw_valid_o), .aw_ready_i(ring_aw_ready_i), .aw_o(ring_aw_o),
    .w_valid_o(ring_w_valid_o), .w_ready_i(ring_w_ready_i), .w_o(ring_w_o),
    .b_valid_i(ring_b_valid_i), .b_resp_i(ring_b_resp_i),
    .complete_o(completed), .landed_o(landed), .failed_o(ring_failed)
  );

  // ---- Reset, drain, errors ----
  esp_control #(.Slots(Slots)) u_control (
    .clk_i, .rst_i, .reset_i(soft_reset), .quiet_i(fetch_idle && read_idle && write_idle && ring_idle),
    .quiesce_o(quiesce), .void_o(void_writes), .core_rst_o(core_rst), .reset_ack_o(reset_ack),
    .ready_o(ready), .install_i(install), .install_slot_i(install_slot), .wiping_o(wiping),
    .wipe_valid_o(wipe_valid), .wipe_ready_i(wipe_ready), .wipe_job_o(wipe_job),
    .wiped_i(result_out_valid)
  );
  assign drained = drain && &queue_idle && fetch_idle;
  logic [Queues-1:0] stopped_before_q;
  always_ff @(posedge clk_i) begin
    stopped_before_q <= core_rst ? '0 : stopped;
    errors <= core_rst ? '0 : {lost, (stopped & ~stopped_before_q) != '0,
                               (data_b_valid_i && data_b_resp_i[1]) || (ring_b_valid_i && ring_b_resp_i[1]),
                               (data_r_valid_i && data_r_i.resp[1]) || (ring_r_valid_i && ring_r_i.resp[1])};
  end

  // ---- Counters, in the order of their registers from cycles_lo on ----
  localparam int unsigned Counters = 9;
  logic [Counters-1:0][16:0] add;
  logic done_step, done_ok;
  assign done_step = done_valid && done_ready;
  assign done_ok   = done.status == StatusOk;
  always_ff @(posedge clk_i) begin
    add[0] <= 17'd1;
    add[1] <= 17'(done_step);
    add[2] <= order && !order_drop ? 17'(job.descriptor.source_length) : '0;
    add[3] <= done_step ? 17'(done.length) : '0;
    add[4] <= 17'(done_step && !done_ok);
    add[5] <= 17'(in_valid_o && in_ready_i);
    add[6] <= 17'(out_valid_i && out_ready_o);
    add[7] <= 17'(!in_valid_o && job_valid);
    add[8] <= 17'(blocked || (out_valid_i && !out_ready_o));
  end
  esp_counters #(.Counters(Counters)) u_counters (
    .clk_i, .rst_i(core_rst), .add_i(add), .read_i(reg_read), .address_i(reg_read_addr[7:2]),
    .data_o(counter_data)
  );

  logic unused_last;
  assign unused_last = out_last_i;
endmodule
