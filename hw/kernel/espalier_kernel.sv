// SPDX-License-Identifier: BSD-2-Clause-Patent

// The kernel: shell and engine behind the ports an XRT RTL kernel has.
//
// Purpose:  names and packs; every decision is in esp_shell or in the generated engine.
// Ports:    s_axi_control (AXI4-Lite), m_axi_ring and m_axi_data (AXI4, 512 bits, 64-byte INCR bursts that
//           never cross 4 KiB); names as XRT wants them, hence without the house's suffixes.
// Reset:    ap_rst_n, synchronous, active low.
module espalier_kernel
  import espalier_pkg::*;
  import esp_shell_pkg::*;
#(
  parameter int unsigned Queues       = 5,       // queue pairs, 1..16: four for packets, one for control
  parameter int unsigned Slots        = 16384,   // SA slots of the engine
  parameter int unsigned MaxPacket    = 9216,    // octets of source or result
  parameter logic [31:0] Capabilities = CapGcm | CapTunnel4 | CapEsn | CapContinuation,
  parameter int unsigned ClockKhz     = 0        // kernel clock; 0: unknown
) (
  input  logic         ap_clk,
  input  logic         ap_rst_n,

  input  logic         s_axi_control_awvalid,
  output logic         s_axi_control_awready,
  input  logic [15:0]  s_axi_control_awaddr,
  input  logic         s_axi_control_wvalid,
  output logic         s_axi_control_wready,
  input  logic [31:0]  s_axi_control_wdata,
  input  logic [3:0]   s_axi_control_wstrb,
  output logic         s_axi_control_bvalid,
  input  logic         s_axi_control_bready,
  output logic [1:0]   s_axi_control_bresp,
  input  logic         s_axi_control_arvalid,
  output logic         s_axi_control_arready,
  input  logic [15:0]  s_axi_control_araddr,
  output logic         s_axi_control_rvalid,
  input  logic         s_axi_control_rready,
  output logic [31:0]  s_axi_control_rdata,
  output logic [1:0]   s_axi_control_rresp,

  output logic         m_axi_ring_awvalid,
  input  logic         m_axi_ring_awready,
  output logic [63:0]  m_axi_ring_awaddr,
  output logic [7:0]   m_axi_ring_awid,
  output logic [7:0]   m_axi_ring_awlen,
  output logic [2:0]   m_axi_ring_awsize,
  output logic [1:0]   m_axi_ring_awburst,
  output logic         m_axi_ring_wvalid,
  input  logic         m_axi_ring_wready,
  output logic [511:0] m_axi_ring_wdata,
  output logic [63:0]  m_axi_ring_wstrb,
  output logic         m_axi_ring_wlast,
  input  logic         m_axi_ring_bvalid,
  output logic         m_axi_ring_bready,
  input  logic [1:0]   m_axi_ring_bresp,
  input  logic [7:0]   m_axi_ring_bid,
  output logic         m_axi_ring_arvalid,
  input  logic         m_axi_ring_arready,
  output logic [63:0]  m_axi_ring_araddr,
  output logic [7:0]   m_axi_ring_arid,
  output logic [7:0]   m_axi_ring_arlen,
  output logic [2:0]   m_axi_ring_arsize,
  output logic [1:0]   m_axi_ring_arburst,
  input  logic         m_axi_ring_rvalid,
  output logic         m_axi_ring_rready,
  input  logic [511:0] m_axi_ring_rdata,
  input  logic         m_axi_ring_rlast,
  input  logic [7:0]   m_axi_ring_rid,
  input  logic [1:0]   m_axi_ring_rresp,

  output logic         m_axi_data_awvalid,
  input  logic         m_axi_data_awready,
  output logic [63:0]  m_axi_data_awaddr,
  output logic [7:0]   m_axi_data_awid,
  output logic [7:0]   m_axi_data_awlen,
  output logic [2:0]   m_axi_data_awsize,
  output logic [1:0]   m_axi_data_awburst,
  output logic         m_axi_data_wvalid,
  input  logic         m_axi_data_wready,
  output logic [511:0] m_axi_data_wdata,
  output logic [63:0]  m_axi_data_wstrb,
  output logic         m_axi_data_wlast,
  input  logic         m_axi_data_bvalid,
  output logic         m_axi_data_bready,
  input  logic [1:0]   m_axi_data_bresp,
  input  logic [7:0]   m_axi_data_bid,
  output logic         m_axi_data_arvalid,
  input  logic         m_axi_data_arready,
  output logic [63:0]  m_axi_data_araddr,
  output logic [7:0]   m_axi_data_arid,
  output logic [7:0]   m_axi_data_arlen,
  output logic [2:0]   m_axi_data_arsize,
  output logic [1:0]   m_axi_data_arburst,
  input  logic         m_axi_data_rvalid,
  output logic         m_axi_data_rready,
  input  logic [511:0] m_axi_data_rdata,
  input  logic         m_axi_data_rlast,
  input  logic [7:0]   m_axi_data_rid,
  input  logic [1:0]   m_axi_data_rresp
);
  logic clk, rst_q;
  assign clk = ap_clk;
  always_ff @(posedge clk) rst_q <= !ap_rst_n;

  axi_address_t ring_ar, ring_aw;
  axi_read_t    ring_r;
  axi_write_t   ring_w;
  assign ring_r = '{id: m_axi_ring_rid, last: m_axi_ring_rlast, resp: m_axi_ring_rresp, data: m_axi_ring_rdata};
  assign {m_axi_ring_arid, m_axi_ring_arlen, m_axi_ring_araddr}   = ring_ar;
  assign {m_axi_ring_awid, m_axi_ring_awlen, m_axi_ring_awaddr}   = ring_aw;
  assign {m_axi_ring_wlast, m_axi_ring_wstrb, m_axi_ring_wdata}   = ring_w;
  assign {m_axi_ring_arsize, m_axi_ring_arburst} = {3'd6, 2'd1};
  assign {m_axi_ring_awsize, m_axi_ring_awburst} = {3'd6, 2'd1};
  assign {m_axi_ring_rready, m_axi_ring_bready}  = 2'b11;

  axi_address_t data_ar, data_aw;
  axi_read_t    data_r;
  axi_write_t   data_w;
  assign data_r = '{id: m_axi_data_rid, last: m_axi_data_rlast, resp: m_axi_data_rresp, data: m_axi_data_rdata};
  assign {m_axi_data_arid, m_axi_data_arlen, m_axi_data_araddr}   = data_ar;
  assign {m_axi_data_awid, m_axi_data_awlen, m_axi_data_awaddr}   = data_aw;
  assign {m_axi_data_wlast, m_axi_data_wstrb, m_axi_data_wdata}   = data_w;
  assign {m_axi_data_arsize, m_axi_data_arburst} = {3'd6, 2'd1};
  assign {m_axi_data_awsize, m_axi_data_awburst} = {3'd6, 2'd1};
  assign {m_axi_data_rready, m_axi_data_bready}  = 2'b11;

  logic         engine_rst, job_valid, job_ready, in_valid, in_ready, in_last;
  logic         result_valid, result_ready, out_valid, out_ready, out_last;
  descriptor_t  job;
  logic [15:0]  job_ticket;
  beat_t        in_beat, out_beat;
  result_t      result;

  esp_shell #(
    .Queues(Queues), .Slots(Slots), .MaxPacket(MaxPacket), .Capabilities(Capabilities), .ClockKhz(ClockKhz)
  ) u_shell (
    .clk_i(clk), .rst_i(rst_q),
    .csr_awvalid_i(s_axi_control_awvalid),
    .csr_awready_o(s_axi_control_awready),
    .csr_awaddr_i(s_axi_control_awaddr),
    .csr_wvalid_i(s_axi_control_wvalid),
    .csr_wready_o(s_axi_control_wready),
    .csr_wdata_i(s_axi_control_wdata),
    .csr_wstrb_i(s_axi_control_wstrb),
    .csr_bvalid_o(s_axi_control_bvalid),
    .csr_bready_i(s_axi_control_bready),
    .csr_arvalid_i(s_axi_control_arvalid),
    .csr_arready_o(s_axi_control_arready),
    .csr_araddr_i(s_axi_control_araddr),
    .csr_rvalid_o(s_axi_control_rvalid),
    .csr_rready_i(s_axi_control_rready),
    .csr_rdata_o(s_axi_control_rdata),
    .ring_ar_valid_o(m_axi_ring_arvalid), .ring_ar_ready_i(m_axi_ring_arready), .ring_ar_o(ring_ar),
    .ring_r_valid_i(m_axi_ring_rvalid), .ring_r_i(ring_r),
    .ring_aw_valid_o(m_axi_ring_awvalid), .ring_aw_ready_i(m_axi_ring_awready), .ring_aw_o(ring_aw),
    .ring_w_valid_o(m_axi_ring_wvalid), .ring_w_ready_i(m_axi_ring_wready), .ring_w_o(ring_w),
    .ring_b_valid_i(m_axi_ring_bvalid), .ring_b_resp_i(m_axi_ring_bresp),
    .data_ar_valid_o(m_axi_data_arvalid), .data_ar_ready_i(m_axi_data_arready), .data_ar_o(data_ar),
    .data_r_valid_i(m_axi_data_rvalid), .data_r_i(data_r),
    .data_aw_valid_o(m_axi_data_awvalid), .data_aw_ready_i(m_axi_data_awready), .data_aw_o(data_aw),
    .data_w_valid_o(m_axi_data_wvalid), .data_w_ready_i(m_axi_data_wready), .data_w_o(data_w),
    .data_b_valid_i(m_axi_data_bvalid), .data_b_resp_i(m_axi_data_bresp),
    .engine_rst_o(engine_rst),
    .job_valid_o(job_valid), .job_ready_i(job_ready), .job_o(job), .job_ticket_o(job_ticket),
    .in_valid_o(in_valid), .in_ready_i(in_ready), .in_o(in_beat), .in_last_o(in_last),
    .result_valid_i(result_valid), .result_ready_o(result_ready), .result_i(result),
    .out_valid_i(out_valid), .out_ready_o(out_ready), .out_i(out_beat), .out_last_i(out_last)
  );
  assign s_axi_control_bresp = 2'b00;
  assign s_axi_control_rresp = 2'b00;

  // The words as hls/types.h lists their fields, the first lowest.
  engine u_engine (
    .clk_i(clk), .rst_i(engine_rst),
    .jobs_tvalid(job_valid), .jobs_tready(job_ready), .jobs_tdata({job_ticket, job}),
    .in_tvalid(in_valid), .in_tready(in_ready), .in_tdata({in_last, in_beat}),
    .results_tvalid(result_valid), .results_tready(result_ready), .results_tdata(result),
    .out_tvalid(out_valid), .out_tready(out_ready), .out_tdata({out_last, out_beat})
  );

  logic unused;
  assign unused = ^{m_axi_ring_bid, m_axi_data_bid};
endmodule
