// SPDX-License-Identifier: BSD-2-Clause-Patent

// One queue pair: its registers, its ring indices, and whether it may run.
//
// Purpose:       keeps what the host wrote, and how far the card got: fetched <= doorbell entries of the
//                submission ring; completions reserved for jobs in the card, written, and given back by
//                the host's credit.  A queue that breaks the rules (an index that cannot be, or stop_i from
//                a unit that saw worse) is stopped with a reason; the other queues never notice.
// Latency:       register reads take one cycle; all outputs come from flip-flops.
// Enable:        the rising edge sets all indices to zero and clears the error; it is refused (the bit stays
//                0) while entries of an earlier run are outstanding.
// Reset:         synchronous; all registers zero, queue off.
module esp_queue
  import espalier_pkg::*;
  import esp_shell_pkg::*;
(
  input  logic          clk_i,
  input  logic          rst_i,

  // Register access, address within the queue's block.
  input  logic          write_i,
  input  logic [7:0]    write_addr_i,
  input  logic [31:0]   write_data_i,
  input  logic [7:0]    read_addr_i,
  output logic [31:0]   read_data_o,

  output queue_config_t config_o,
  output index_t        doorbell_o,         // entries the host published
  output index_t        fetched_o,          // entries a read was issued for
  output logic          room_o,             // a completion slot is free
  output logic          stopped_o,
  output logic          idle_o,             // no entry is outstanding
  output logic          restart_o,          // the queue is being enabled

  input  logic [4:0]    fetch_i,            // entries being fetched this cycle
  input  logic          reserve_i,          // a job starts: takes a completion slot
  input  logic          release_i,          // a job with a slot was dropped unanswered: gives it back
  input  logic          unanswered_i,       // an entry was used up that has no completion of its own
  input  logic          complete_i,         // a completion was put into a line
  input  logic [2:0]    landed_i,           // completions whose write was answered
  input  logic          stop_i,
  input  status_t       stop_status_i
);
  queue_config_t config_q;
  logic    enable_q, stopped_q;
  status_t error_q;
  index_t  doorbell_q, fetched_q, reserved_q, completed_q, credit_q, outstanding_q;

  assign doorbell_o = doorbell_q;
  assign fetched_o  = fetched_q;
  assign restart_o  = rise;
  assign idle_o     = outstanding_q == '0;
  assign stopped_o  = stopped_q;
  always_comb begin
    config_o       = config_q;
    config_o.alive = enable_q && !stopped_q;
  end

  // Indices the host writes must lie where the protocol allows them.
  logic   write_doorbell, write_credit, bad_index;
  index_t ahead, behind, open;
  assign write_doorbell = write_i && write_addr_i == QueueDoorbell[7:0] && enable_q;
  assign write_credit   = write_i && write_addr_i == QueueCredit[7:0] && enable_q;
  assign ahead          = write_data_i[15:0] - fetched_q;
  assign behind         = completed_q - write_data_i[15:0];
  assign open           = completed_q - credit_q;
  assign bad_index      = (write_doorbell && ahead > (16'd1 << config_q.submission_log2)) ||
                          (write_credit && behind > open);

  logic write_enable, rise;
  assign write_enable = write_i && write_addr_i == QueueEnable[7:0];
  assign rise         = write_enable && write_data_i[0] && !enable_q && outstanding_q == '0;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      enable_q      <= 1'b0;
      stopped_q     <= 1'b0;
      error_q       <= '0;
      outstanding_q <= '0;
    end else begin
      if (write_enable) enable_q <= rise || (enable_q && write_data_i[0]);
      if (rise) begin
        stopped_q <= 1'b0;
        error_q   <= '0;
      end else if ((stop_i || bad_index) && enable_q && !stopped_q) begin
        stopped_q <= 1'b1;
        error_q   <= stop_i ? stop_status_i : StatusBadDescriptor;
      end
      outstanding_q <= outstanding_q + 16'(fetch_i) - 16'(unanswered_i) - 16'(landed_i);
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i || rise) begin
      doorbell_q  <= '0;
      fetched_q   <= '0;
      reserved_q  <= '0;
      completed_q <= '0;
      credit_q    <= '0;
      room_o      <= 1'b0;
    end else begin
      if (write_doorbell && !bad_index) doorbell_q <= write_data_i[15:0];
      if (write_credit && !bad_index)   credit_q   <= write_data_i[15:0];
      fetched_q   <= fetched_q + 16'(fetch_i);
      reserved_q  <= reserved_q + 16'(reserve_i) - 16'(release_i);
      completed_q <= completed_q + 16'(complete_i);
      // Two slots of slack cover the cycle between this flag and the reservation it allows.
      room_o      <= (reserved_q - credit_q) + 16'd2 <= (16'd1 << config_q.completion_log2);
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) config_q <= '0;
    else if (write_i && !enable_q) begin
      case ({8'h0, write_addr_i})
        QueueSubmissionBaseLo: config_q.submission_base[31:0]  <= {write_data_i[31:6], 6'h0};
        QueueSubmissionBaseHi: config_q.submission_base[63:32] <= write_data_i;
        QueueCompletionBaseLo: config_q.completion_base[31:0]  <= {write_data_i[31:6], 6'h0};
        QueueCompletionBaseHi: config_q.completion_base[63:32] <= write_data_i;
        QueueSubmissionLog2:   config_q.submission_log2        <= write_data_i[3:0];
        QueueCompletionLog2:   config_q.completion_log2        <= write_data_i[3:0];
        QueueWindowBaseLo:     config_q.window_base[31:0]      <= write_data_i;
        QueueWindowBaseHi:     config_q.window_base[63:32]     <= write_data_i;
        QueueWindowLimitLo:    config_q.window_limit[31:0]     <= write_data_i;
        QueueWindowLimitHi:    config_q.window_limit[63:32]    <= write_data_i;
        QueueEpoch:            config_q.epoch                  <= write_data_i[15:0];
        default: ;
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    case ({8'h0, read_addr_i})
      QueueSubmissionBaseLo: read_data_o <= config_q.submission_base[31:0];
      QueueSubmissionBaseHi: read_data_o <= config_q.submission_base[63:32];
      QueueCompletionBaseLo: read_data_o <= config_q.completion_base[31:0];
      QueueCompletionBaseHi: read_data_o <= config_q.completion_base[63:32];
      QueueSubmissionLog2:   read_data_o <= {28'h0, config_q.submission_log2};
      QueueCompletionLog2:   read_data_o <= {28'h0, config_q.completion_log2};
      QueueWindowBaseLo:     read_data_o <= config_q.window_base[31:0];
      QueueWindowBaseHi:     read_data_o <= config_q.window_base[63:32];
      QueueWindowLimitLo:    read_data_o <= config_q.window_limit[31:0];
      QueueWindowLimitHi:    read_data_o <= config_q.window_limit[63:32];
      QueueEpoch:            read_data_o <= {16'h0, config_q.epoch};
      QueueEnable:           read_data_o <= {31'h0, enable_q};
      QueueQueueState:       read_data_o <= {29'h0, outstanding_q == '0, stopped_q, enable_q && !stopped_q};
      QueueQueueError:       read_data_o <= {16'h0, error_q};
      QueueFetched:          read_data_o <= {16'h0, fetched_q};
      QueueCompleted:        read_data_o <= {16'h0, completed_q};
      QueueOutstanding:      read_data_o <= {16'h0, outstanding_q};
      default:               read_data_o <= '0;
    endcase
  end
endmodule
