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
  parameter int unsigned Writes = 512,      // bursts in flight, at least Jobs: each may have landed
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
  if (Writes < Jobs) begin : gen_check
    $error("esp_retire: Writes must be at least Jobs");
  end

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
  logic      landed_valid, landed_error, take, unused_room, job_valid;
  finished_t job;
  esp_fifo #(.Width(1), .Depth(Writes), .BlockRam(1'b0)) u_landed (
    .clk_i, .rst_i, .valid_i(b_valid_i && flight_last), .data_i(error), .room_o(unused_room),
    .valid_o(landed_valid), .data_o(landed_error), .ready_i(take && job.writes)
  );

  esp_fifo #(.Width($bits(finished_i)), .Depth(Jobs), .Margin(3)) u_jobs (
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

`ifdef FORMAL
  // The contract: a job is known here before its bursts are issued, bursts come in job order, responses
  // come when they like, done_* waits as long as it likes.  Writing jobs are numbered.  Proved: a job is
  // done only when the response to its last burst has come, in order, none lost, with an error exactly if
  // one of its writes failed; nothing overflows.
  localparam int unsigned NumberWidth = $clog2(Writes + 1) + 2;
  typedef logic [NumberWidth-1:0] number_t;
  logic    live_q = 1'b0, stalled_q, failed_q, mark_q;
  number_t known_q, issued_q, answered_q, retired_q;   // jobs known, last bursts issued and answered, jobs done
  number_t unanswered, waiting, place;
  (* anyconst *) number_t watched;
  finished_t done_before_q, looked;
  (* hierconn *) wire [$clog2(Writes+1)-1:0]      \u_flight.count_q ;
  (* hierconn *) wire [Writes-1:0]                \u_flight.words_q ;
  (* hierconn *) wire [$clog2(Writes+1)-1:0]      \u_landed.count_q ;
  (* hierconn *) wire [Writes-1:0]                \u_landed.words_q ;
  (* hierconn *) wire [$clog2(Jobs+1)-1:0]        \u_jobs.count_q ;
  (* hierconn *) wire [Jobs*$bits(finished_i)-1:0] \u_jobs.words_q ;
  always_comb begin
    assume (live_q || rst_i);
    assume (!finished_valid_i || 32'(\u_jobs.count_q ) < Jobs);
    assume (!issue_i || (32'(\u_flight.count_q ) < Writes && issued_q != known_q));
    assume (!b_valid_i || flight_valid);
  end

  always_comb begin
    {unanswered, waiting} = '0;
    for (int unsigned k = 0; k < Writes; k++)
      if (k < 32'(\u_flight.count_q ) && \u_flight.words_q [k]) unanswered = unanswered + 1'b1;
    for (int unsigned k = 0; k < Jobs; k++) begin
      looked = \u_jobs.words_q [k*$bits(finished_i) +: $bits(finished_i)];
      if (k < 32'(\u_jobs.count_q ) && looked.writes) waiting = waiting + 1'b1;
    end
  end
  assign place = watched - retired_q;

  always_ff @(posedge clk_i) begin
    live_q        <= live_q || rst_i;
    stalled_q     <= !rst_i && done_valid_o && !done_ready_i;
    done_before_q <= done_o;
    known_q       <= rst_i ? '0 : known_q + NumberWidth'(finished_valid_i && finished_i.writes);
    issued_q      <= rst_i ? '0 : issued_q + NumberWidth'(issue_i && issue_last_i);
    answered_q    <= rst_i ? '0 : answered_q + NumberWidth'(b_valid_i && flight_last);
    retired_q     <= rst_i ? '0 : retired_q + NumberWidth'(take && job.writes);
    failed_q      <= !rst_i && (b_valid_i ? !flight_last && (failed_q || b_resp_i[1]) : failed_q);
    if (b_valid_i && flight_last && answered_q == watched) mark_q <= failed_q || b_resp_i[1];
  end

  always_comb if (live_q && !rst_i) begin
    assert (known_q - retired_q == waiting && issued_q - answered_q == unanswered);
    assert (answered_q - retired_q == NumberWidth'(\u_landed.count_q ));
    assert (known_q - issued_q <= known_q - answered_q && known_q - answered_q <= waiting);
    assert (error_q == failed_q && idle_o == (\u_flight.count_q == '0 && !issue_i));
    assert (!(take && job.writes) || answered_q != retired_q);              // not before its writes landed
    assert (place >= answered_q - retired_q || \u_landed.words_q [place] == mark_q);
    assert (!(take && job.writes && retired_q == watched) || landed_error == mark_q);
    assert (!stalled_q || (done_valid_o && done_o == done_before_q));       // an answer stands
    assert (!job_valid || (job.writes && answered_q == retired_q) || (done_valid_o && !done_ready_i) || take);
  end
`endif
endmodule
