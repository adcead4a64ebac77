// SPDX-License-Identifier: BSD-2-Clause-Patent

// Holds a finished job until every write of it was answered.
//
// Purpose:       all data writes carry one AXI ID, so their responses come in issue order, which is job
//                order; a job is done at the response of its last burst.  A failed write makes its job
//                write_error.  Jobs that wrote nothing only keep their place in the order.
// Latency:       3 cycles.
// Back-pressure: B responses are never refused; done_* valid/ready.
// Reset:         synchronous; only while idle_o.
module esp_retire
  import espalier_pkg::*;
  import esp_shell_pkg::*;
#(
  parameter int unsigned Writes = 512,      // bursts in flight
  parameter int unsigned Jobs   = 512       // jobs waiting
) (
  input  logic      clk_i,
  input  logic      rst_i,
  output logic      idle_o,                 // no write is in flight

  input  logic      issue_i,                // a burst was announced
  input  logic      issue_last_i,           // ... its job's last
  output logic      issue_room_o,           // room for 3 more
  input  logic      b_valid_i,
  input  logic [1:0] b_resp_i,

  input  logic      finished_valid_i,
  input  finished_t finished_i,
  output logic      finished_room_o,        // room for 3 more

  output logic      done_valid_o,
  input  logic      done_ready_i,
  output finished_t done_o
);
  // Which responses end a job.
  logic flight_valid, flight_last, error_q, error;
  esp_fifo #(.Width(1), .Depth(Writes), .Margin(3), .BlockRam(1'b0)) u_flight (
    .clk_i, .rst_i, .valid_i(issue_i), .data_i(issue_last_i), .room_o(issue_room_o),
    .valid_o(flight_valid), .data_o(flight_last), .ready_i(b_valid_i)
  );
  logic unused;
  assign unused = b_resp_i[0];
  assign idle_o = !flight_valid && !issue_i;
  assign error  = error_q || b_resp_i[1];
  always_ff @(posedge clk_i) begin
    if (rst_i)          error_q <= 1'b0;
    else if (b_valid_i) error_q <= error && !flight_last;
  end

  // Jobs whose writes are all answered, and whether one failed.
  logic landed_valid, landed_error, take, unused_room;
  esp_fifo #(.Width(1), .Depth(Writes), .BlockRam(1'b0)) u_landed (
    .clk_i, .rst_i, .valid_i(b_valid_i && flight_last), .data_i(error), .room_o(unused_room),
    .valid_o(landed_valid), .data_o(landed_error), .ready_i(take && job.writes)
  );

  logic      job_valid;
  finished_t job;
  esp_fifo #(.Width($bits(finished_t)), .Depth(Jobs), .Margin(3)) u_jobs (
    .clk_i, .rst_i, .valid_i(finished_valid_i), .data_i(finished_i), .room_o(finished_room_o),
    .valid_o(job_valid), .data_o(job), .ready_i(take)
  );
  assign take = job_valid && (!job.writes || landed_valid) && (!done_valid_o || done_ready_i);

  always_ff @(posedge clk_i) begin
    if (rst_i) done_valid_o <= 1'b0;
    else       done_valid_o <= take || (done_valid_o && !done_ready_i);
    if (take) begin
      done_o <= job;
      if (job.writes && landed_error) begin
        done_o.status      <= StatusWriteError;
        done_o.length      <= '0;
        done_o.next_header <= '0;
        done_o.tos         <= '0;
      end
    end
  end
endmodule
