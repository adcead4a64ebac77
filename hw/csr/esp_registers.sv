// SPDX-License-Identifier: BSD-2-Clause-Patent

// The global registers, and the way to those of the queues and counters.
//
// Purpose:  answers the AXI4-Lite slave; every fact in it is a constant of espalier_pkg, a parameter, or an
//           input.  Unknown addresses read as zero and ignore writes.
// Latency:  a read is answered two cycles after its strobe.
// Reset:    synchronous, the kernel's own reset; a soft reset leaves `control` and `errors`.
module esp_registers
  import espalier_pkg::*;
#(
  parameter int unsigned Queues       = 4,
  parameter int unsigned Slots        = 16384,
  parameter int unsigned MaxPacket    = 9600,
  parameter logic [31:0] Capabilities = '0,
  parameter int unsigned ClockKhz     = 0      // 0: unknown
) (
  input  logic                   clk_i,
  input  logic                   rst_i,

  input  logic                   write_i,
  input  logic [15:0]            write_addr_i,
  input  logic [31:0]            write_data_i,
  input  logic                   read_i,
  input  logic [15:0]            read_addr_i,
  output logic [31:0]            read_data_o,

  output logic [Queues-1:0]      queue_write_o,    // the write is for this queue
  input  logic [Queues-1:0][31:0] queue_data_i,    // one cycle after the read strobe
  input  logic [31:0]            counter_data_i,

  output logic                   reset_o,
  output logic                   drain_o,
  input  logic                   ready_i,
  input  logic                   reset_ack_i,
  input  logic                   drained_i,
  input  logic [3:0]             errors_i          // ErrorBits to set
);
  logic [31:0] global_q;
  logic [15:0] addr_q;
  logic [3:0]  errors_q;
  logic        reset_q, drain_q;
  assign reset_o = reset_q;
  assign drain_o = drain_q;

  for (genvar q = 0; q < int'(Queues); q++) begin : gen_queue
    assign queue_write_o[q] = write_i && write_addr_i[15:8] == 8'(32'(QueueBlock[15:8]) + q);
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      reset_q  <= 1'b0;
      drain_q  <= 1'b0;
      errors_q <= '0;
    end else begin
      if (write_i && write_addr_i == RegControl) {drain_q, reset_q} <= write_data_i[1:0];
      errors_q <= (errors_q & ~(write_i && write_addr_i == RegErrors ? write_data_i[3:0] : 4'h0)) | errors_i;
    end
  end

  always_ff @(posedge clk_i) begin
    addr_q <= read_addr_i;
    if (read_i) begin
      case (read_addr_i)
        RegMagic:        global_q <= Magic;
        RegVersion:      global_q <= InterfaceVersion;
        RegLayoutHashLo: global_q <= LayoutHash[31:0];
        RegLayoutHashHi: global_q <= LayoutHash[63:32];
        RegCapabilities: global_q <= Capabilities;
        RegSlots:        global_q <= 32'(Slots);
        RegMaxPacket:    global_q <= 32'(MaxPacket);
        RegQueues:       global_q <= 32'(Queues);
        RegControl:      global_q <= {30'h0, drain_q, reset_q};
        RegState:        global_q <= {29'h0, drained_i, reset_ack_i, ready_i};
        RegErrors:       global_q <= {28'h0, errors_q};
        RegClockKhz:     global_q <= 32'(ClockKhz);
        default:         global_q <= '0;
      endcase
    end
  end

  // Second stage: choose the bank.
  always_ff @(posedge clk_i) begin
    read_data_o <= '0;
    if (addr_q[15:8] == 8'h00)      read_data_o <= global_q;
    else if (addr_q[15:8] == 8'h01) read_data_o <= counter_data_i;
    for (int q = 0; q < int'(Queues); q++) begin
      if (addr_q[15:8] == 8'(32'(QueueBlock[15:8]) + q)) read_data_o <= queue_data_i[q];
    end
  end

  logic unused;
  assign unused = ^{addr_q[7:0], write_data_i[31:4]};
endmodule
