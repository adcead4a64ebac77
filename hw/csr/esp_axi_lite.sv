// SPDX-License-Identifier: BSD-2-Clause-Patent

// AXI4-Lite slave: turns register accesses into single-cycle strobes.
//
// Purpose:       one 32-bit access at a time; a write waits for both address and data.
// Latency:       write_o pulses for one cycle with address and data; read_o pulses, read_data_i is sampled
//                two cycles later, so that a register file may be two pipeline stages deep.
// Back-pressure: a new access is accepted once the answer of the one before is taken.  Reads and writes
//                are independent.
// Reset:         synchronous; an access under way is forgotten.
// Partial writes (strobe not all ones) are answered OKAY and ignored: no register is narrower than 32 bits.
module esp_axi_lite #(
  parameter int unsigned AddrWidth = 16  // bits of a byte address
) (
  input  logic                 clk_i,
  input  logic                 rst_i,

  input  logic                 awvalid_i,
  output logic                 awready_o,
  input  logic [AddrWidth-1:0] awaddr_i,
  input  logic                 wvalid_i,
  output logic                 wready_o,
  input  logic [31:0]          wdata_i,
  input  logic [3:0]           wstrb_i,
  output logic                 bvalid_o,
  input  logic                 bready_i,
  input  logic                 arvalid_i,
  output logic                 arready_o,
  input  logic [AddrWidth-1:0] araddr_i,
  output logic                 rvalid_o,
  input  logic                 rready_i,
  output logic [31:0]          rdata_o,

  output logic                 write_o,
  output logic [AddrWidth-1:0] write_addr_o,
  output logic [31:0]          write_data_o,
  output logic                 read_o,
  output logic [AddrWidth-1:0] read_addr_o,
  input  logic [31:0]          read_data_i
);
  // Write side: take address and data together.
  logic take_write;
  assign take_write = awvalid_i && wvalid_i && !bvalid_o && !rst_i;
  assign awready_o  = take_write;
  assign wready_o   = take_write;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      bvalid_o <= 1'b0;
      write_o  <= 1'b0;
    end else begin
      bvalid_o <= take_write || (bvalid_o && !bready_i);
      write_o  <= take_write && wstrb_i == '1;
    end
    if (take_write) begin
      write_addr_o <= awaddr_i;
      write_data_o <= wdata_i;
    end
  end

  // Read side: strobe, wait, answer.
  logic [1:0] wait_q;
  assign arready_o = !rst_i && !rvalid_o && !read_o && wait_q == '0;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      rvalid_o <= 1'b0;
      read_o   <= 1'b0;
      wait_q   <= '0;
    end else begin
      read_o   <= arvalid_i && arready_o;
      wait_q   <= {wait_q[0], read_o};
      rvalid_o <= wait_q[1] || (rvalid_o && !rready_i);
    end
    if (arvalid_i && arready_o) read_addr_o <= araddr_i;
    if (wait_q[1])              rdata_o     <= read_data_i;
  end
endmodule
