// SPDX-License-Identifier: BSD-2-Clause-Patent

// Lets a job into the engine once nothing can stop it any more.
//
// Purpose:       a job whose payload is on chip, whose completion slot the queue reserved and for whose
//                result there is room is offered to the engine; a job that failed (its descriptor, its
//                segments, a read) goes round the engine.  Either way the write side learns of it, in order.
//                So the engine's outputs are never refused, and no queue can stall another.
// Latency:       2 cycles; one job a cycle.
// Back-pressure: inputs valid/ready; outputs go to FIFOs that promise room for 2 more.
// Reset:         synchronous.
// The wipe_* port feeds the engine remove jobs while the shell has none (esp_control).
module esp_gate
  import espalier_pkg::*;
  import esp_shell_pkg::*;
#(
  parameter int unsigned OutputBeats = 1024,   // beats of the output buffer
  parameter int unsigned EngineJobs  = 256     // jobs in the engine and results waiting
) (
  input  logic        clk_i,
  input  logic        rst_i,

  input  logic        job_valid_i,
  output logic        job_ready_o,
  input  job_t        job_i,
  input  logic        ready_valid_i,        // esp_read_buffer announces the job's payload
  input  logic        ready_error_i,
  output logic        order_valid_o,
  output logic        order_drop_o,
  input  logic        order_ready_i,

  output logic        pending_valid_o,
  output pending_t    pending_o,
  input  logic        pending_room_i,       // room for 2 more

  output logic        engine_valid_o,       // to a FIFO, so that payload is fetched ahead
  input  logic        engine_room_i,        // room for 2 more
  output descriptor_t engine_job_o,
  output logic [15:0] engine_ticket_o,

  input  logic        give_result_i,        // the write side took a result
  input  logic [11:0] give_beats_i,         // ... and these output beats are free again

  input  logic        wipe_valid_i,
  output logic        wipe_ready_o,
  input  descriptor_t wipe_job_i,

  output logic        install_o,            // a record goes to this slot
  output logic [15:0] install_slot_o,
  output logic        blocked_o             // a job waits for output room
);
  logic        enter, fail, room, credit;
  logic [15:0] ticket_q;
  logic signed [13:0] beats_q;              // beats free
  logic [$clog2(EngineJobs+1)-1:0] results_q;

  assign fail        = job_i.failed || ready_error_i;
  assign credit      = beats_q >= $signed({2'b0, job_i.output_beats}) && results_q != '0;
  assign room        = pending_room_i && order_ready_i && !wipe_valid_i;
  assign enter       = job_valid_i && ready_valid_i && room && (fail || (credit && engine_room_i));
  assign job_ready_o   = enter;
  assign order_valid_o = enter;
  assign order_drop_o  = fail;
  assign wipe_ready_o  = engine_room_i;
  assign blocked_o     = job_valid_i && ready_valid_i && !fail && !credit;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      ticket_q        <= '0;
      beats_q         <= 14'(OutputBeats);
      results_q       <= ($bits(results_q))'(EngineJobs);
      engine_valid_o  <= 1'b0;
      pending_valid_o <= 1'b0;
    end else begin
      if (enter || (wipe_valid_i && wipe_ready_o)) ticket_q <= ticket_q + 16'd1;
      beats_q   <= beats_q - (enter && !fail ? $signed({2'b0, job_i.output_beats}) : 14'sd0)
                           + $signed({2'b0, give_beats_i});
      results_q <= results_q - ($bits(results_q))'(enter && !fail) + ($bits(results_q))'(give_result_i);
      engine_valid_o  <= (enter && !fail) || (wipe_valid_i && wipe_ready_o);
      pending_valid_o <= enter;
    end
    engine_job_o    <= wipe_valid_i ? wipe_job_i : job_i.descriptor;
    engine_ticket_o <= ticket_q;
    pending_o.queue        <= job_i.queue;
    pending_o.failed       <= fail;
    pending_o.status       <= job_i.failed ? job_i.status : StatusReadError;
    pending_o.tag          <= job_i.descriptor.tag;
    pending_o.epoch        <= job_i.descriptor.epoch;
    pending_o.ticket       <= ticket_q;
    pending_o.room         <= job_i.descriptor.destination_length;
    pending_o.output_beats <= fail ? '0 : job_i.output_beats;
    install_o      <= enter && !fail && job_i.descriptor.opcode == OpInstall;
    install_slot_o <= job_i.descriptor.slot;
  end

`ifdef FORMAL
  // The contract.  The write side gives back what it was promised and no more; wipes come while the shell
  // has no job (esp_control).
  logic live_q = 1'b0;
  int unsigned beats_out_q, results_out_q;      // promised and not given back
  logic enters_q, fails_q, wipes_q;
  logic [15:0] pending_ticket_q, engine_ticket_q;
  initial assume (rst_i);
  always_comb begin
    assume (32'(give_beats_i) <= beats_out_q && 32'(give_result_i) <= results_out_q);
    assume (32'(job_i.output_beats) <= OutputBeats);     // esp_job_parse refuses more
    assume (!wipe_valid_i || !job_valid_i);
  end
  always_ff @(posedge clk_i) begin
    live_q        <= live_q || rst_i;
    beats_out_q   <= rst_i ? 0 : beats_out_q - 32'(give_beats_i) + (enter && !fail ? 32'(job_i.output_beats) : 0);
    results_out_q <= rst_i ? 0 : results_out_q - 32'(give_result_i) + 32'(enter && !fail);
    {enters_q, fails_q, wipes_q} <= rst_i ? '0 : {enter, fail, wipe_valid_i && wipe_ready_o};
    if (enter || wipes_q) {pending_ticket_q, engine_ticket_q} <= {ticket_q, ticket_q};
  end

  always_comb if (live_q && !rst_i) begin
    assert (beats_out_q <= OutputBeats && results_out_q <= EngineJobs);   // the engine is never refused
    assert (32'(signed'(beats_q)) == OutputBeats - beats_out_q && 32'(results_q) == EngineJobs - results_out_q);
    // A job is used up on all sides or on none, and only when it is on chip.
    assert (!enter || (job_valid_i && ready_valid_i && order_ready_i && pending_room_i));
    assert (pending_valid_o == enters_q && engine_valid_o == ((enters_q && !fails_q) || wipes_q));
    assert (!enters_q || (pending_o.failed == fails_q && pending_o.ticket == pending_ticket_q));
    assert (!(enters_q && !fails_q) || engine_ticket_o == pending_o.ticket);
    // Once everything is given back no job waits.
    assert (beats_out_q != 0 || results_out_q != 0 || !(job_valid_i && ready_valid_i) || !room ||
            !engine_room_i || enter);
  end
`endif
endmodule
