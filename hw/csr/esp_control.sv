// SPDX-License-Identifier: BSD-2-Clause-Patent

// Soft reset, drain, and the wiping of SA slots.
//
// Purpose:  a soft reset stops new AXI requests, waits until every request in flight is answered, then
//           resets everything but the registers that started it, and acknowledges; if an answer never
//           comes it never acknowledges, and the host must not reuse its buffers.  When the host lets go,
//           each slot that ever took a record is removed, and only then the card is ready (D6).
// Wiping:   a bit a slot remembers records since the last wipe; it outlives soft resets, and the memories
//           themselves are zero after configuration.  Scanning takes Slots / 32 cycles, a wipe a remove job.
// Reset:    synchronous (rst_i, the kernel's own reset); core_rst_o resets shell and engine.
module esp_control
  import espalier_pkg::*;
  import esp_shell_pkg::*;
#(
  parameter int unsigned Slots = 16384      // SA slots, a power of two, >= 64
) (
  input  logic        clk_i,
  input  logic        rst_i,

  input  logic        reset_i,              // kControlReset as written
  input  logic        quiet_i,              // no AXI request stands or is in flight
  output logic        quiesce_o,            // start no AXI request
  output logic        void_o,               // finish announced writes without data
  output logic        core_rst_o,
  output logic        reset_ack_o,
  output logic        ready_o,

  input  logic        install_i,            // a record goes to this slot
  input  logic [15:0] install_slot_i,
  output logic        wiping_o,             // results belong to wipe jobs
  output logic        wipe_valid_o,
  input  logic        wipe_ready_i,
  output descriptor_t wipe_job_o,
  input  logic        wiped_i               // a result came while wiping_o
);
  localparam int unsigned SlotWidth = $clog2(Slots);
  localparam int unsigned Words     = Slots / 32;
  localparam int unsigned WordWidth = $clog2(Words);

  typedef enum logic [2:0] {StQuiesce, StSettle, StReset, StHold, StScan, StWipe, StReady} state_e;
  state_e state_q;
  logic [4:0] wait_q;

  (* ram_style = "block" *) logic [31:0] dirty_ram [Words];
  logic [WordWidth-1:0] word_q;
  logic [31:0]          bits_q, mark_bits_q;
  logic                 mark_q, read_q;
  logic [WordWidth-1:0] mark_word_q;
  logic [4:0]           mark_bit_q, lowest;
  logic [2:0]           flying_q;           // wipe jobs in the engine, at most 4
  initial for (int i = 0; i < int'(Words); i++) dirty_ram[i] = '0;

  always_comb begin
    lowest = '0;
    for (int i = 31; i >= 0; i--) if (bits_q[i]) lowest = 5'(i);
  end

  assign quiesce_o   = state_q != StReady;
  assign void_o      = state_q == StQuiesce || state_q == StSettle;
  assign core_rst_o  = state_q == StReset || state_q == StHold;
  assign reset_ack_o = state_q == StHold;
  assign ready_o     = state_q == StReady;
  assign wiping_o    = state_q == StScan || state_q == StWipe;
  assign wipe_valid_o = state_q == StWipe && bits_q != '0 && flying_q < 3'd4;
  always_comb begin
    wipe_job_o        = '0;
    wipe_job_o.opcode = OpRemove;
    wipe_job_o.slot   = 16'({word_q, lowest});
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      state_q  <= StReset;
      wait_q   <= '0;
      word_q   <= '0;
      read_q   <= 1'b0;
      flying_q <= '0;
    end else begin
      wait_q   <= '0;
      read_q   <= 1'b0;
      flying_q <= flying_q + 3'(wipe_valid_o && wipe_ready_i) - 3'(wiped_i && wiping_o);
      case (state_q)
        StReady:   if (reset_i) state_q <= StQuiesce;
        // Quiet for a while, so that what was between two pipeline stages has come out.
        StQuiesce: if (quiet_i) state_q <= StSettle;
        StSettle: begin
          wait_q <= wait_q + 5'd1;
          if (!quiet_i)          state_q <= StQuiesce;
          else if (wait_q == '1) state_q <= StReset;
        end
        StReset: begin
          wait_q   <= wait_q + 5'd1;
          word_q   <= '0;
          flying_q <= '0;
          if (wait_q == '1) state_q <= reset_i ? StHold : StScan;
        end
        StHold:    if (!reset_i) state_q <= StScan;
        StScan: begin
          read_q <= !read_q;
          if (reset_i) state_q <= StReset;
          else if (read_q) state_q <= StWipe;
        end
        default: begin              // StWipe
          if (reset_i) state_q <= StReset;
          else if (bits_q == '0 && flying_q == '0) begin
            word_q  <= word_q + 1'b1;
            state_q <= word_q == '1 ? StReady : StScan;
          end
        end
      endcase
    end
  end

  // The word under the scan; a word's bits are cleared in memory once its wipes are answered.
  always_ff @(posedge clk_i) begin
    if (state_q == StScan && read_q)       bits_q <= dirty_ram[word_q];
    else if (wipe_valid_o && wipe_ready_i) bits_q[lowest] <= 1'b0;
  end

  // Marking: read, set, write; a mark takes three cycles, an install at least sixteen.
  logic [1:0] mark_step_q;
  assign mark_q = mark_step_q != '0;
  always_ff @(posedge clk_i) begin
    if (rst_i)           mark_step_q <= '0;
    else if (install_i)  mark_step_q <= 2'd1;
    else if (mark_q)     mark_step_q <= mark_step_q == 2'd2 ? '0 : mark_step_q + 2'd1;
    if (install_i) begin
      mark_word_q <= install_slot_i[SlotWidth-1:5];
      mark_bit_q  <= install_slot_i[4:0];
    end
    if (mark_step_q == 2'd1) mark_bits_q <= dirty_ram[mark_word_q];
    if (mark_step_q == 2'd2)
      dirty_ram[mark_word_q] <= mark_bits_q | (32'd1 << mark_bit_q);
    else if (state_q == StWipe && bits_q == '0 && flying_q == '0 && !reset_i)
      dirty_ram[word_q] <= '0;
  end

  logic unused_slot;
  assign unused_slot = ^{1'b0, install_slot_i};
endmodule
