// SPDX-License-Identifier: BSD-2-Clause-Patent

// First-word-fall-through FIFO between two free-running stages.
//
// Purpose:       keeps up to Depth words in order; its writer has no stall net, so it asks for room ahead.
// Latency:       written in cycle t, offered in t+1 (distributed RAM) or t+3 (block RAM and its output
//                register).  One word in and one word out each cycle, no bubble in either shape.
// Back-pressure: room_o is high while at least Margin slots are free.  A writer that looks at room_o in
//                cycle t and writes the result in cycle t+L never overflows if Margin >= L+1: L words may
//                be on their way when it looks, and it adds one.  Writing without room loses the word
//                (an assertion in simulation).  The read side is valid/ready, AXI4-Stream compatible.
// Timing:        room_o and valid_o come straight from flip-flops; data_o too in block RAM, in distributed
//                RAM it is the RAM's asynchronous read, one LUT level.
// Reset:         synchronous; empties the FIFO, the storage keeps its bits.
module esp_fifo #(
  parameter int unsigned Width    = 8,           // bits of a word, >= 1
  parameter int unsigned Depth    = 16,          // words it holds, >= 2; storage rounds up to a power of two
  parameter int unsigned Margin   = 1,           // free slots that room_o promises, 1..Depth
  parameter bit          BlockRam = Depth > 64   // storage and output register in block RAM
) (
  input  logic             clk_i,
  input  logic             rst_i,

  input  logic             valid_i,
  input  logic [Width-1:0] data_i,
  output logic             room_o,

  output logic             valid_o,
  output logic [Width-1:0] data_o,
  input  logic             ready_i
);
  if (Width < 1) begin : gen_check_width
    $error("esp_fifo: Width must be at least 1");
  end
  if (Depth < 2) begin : gen_check_depth
    $error("esp_fifo: Depth must be at least 2");
  end
  if (Margin < 1 || Margin > Depth) begin : gen_check_margin
    $error("esp_fifo: Margin must lie in 1..Depth");
  end

  localparam int unsigned AddrWidth  = $clog2(Depth);
  localparam int unsigned CountWidth = $clog2(Depth + 1) + 1;  // with a sign

  // Both counters are kept biased so that the flag is their sign bit, not a comparison:
  // slack_q = free slots - Margin;  stored_q = words in the RAM - 1.
  logic signed [CountWidth-1:0] slack_q, stored_q;
  logic        [AddrWidth-1:0]  write_q, read_q;
  logic                         pop;    // a word leaves the FIFO
  logic                         fetch;  // a word leaves the RAM

  assign room_o = !slack_q[CountWidth-1];
  assign pop    = valid_o && ready_i;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      slack_q  <= CountWidth'(Depth - Margin);
      stored_q <= '1;
      write_q  <= '0;
      read_q   <= '0;
    end else begin
      if (valid_i && !pop)   slack_q  <= slack_q - CountWidth'(1);
      if (!valid_i && pop)   slack_q  <= slack_q + CountWidth'(1);
      if (valid_i && !fetch) stored_q <= stored_q + CountWidth'(1);
      if (!valid_i && fetch) stored_q <= stored_q - CountWidth'(1);
      if (valid_i)           write_q  <= write_q + 1'b1;
      if (fetch)             read_q   <= read_q + 1'b1;
    end
  end

  if (BlockRam) begin : gen_block
    // Word by word through the RAM's read latch and its output register; each moves on when the next is
    // empty or moving itself, so a stream that does not stop never waits.
    (* ram_style = "block" *) logic [Width-1:0] ram [2**AddrWidth];
    logic [Width-1:0] latch_q, out_q;
    logic             latch_valid_q, out_valid_q;
    logic             shift;

    assign shift = latch_valid_q && (!out_valid_q || ready_i);
    assign fetch = !stored_q[CountWidth-1] && (!latch_valid_q || shift);

    always_ff @(posedge clk_i) begin
      if (valid_i) ram[write_q] <= data_i;
      if (fetch)   latch_q      <= ram[read_q];
      if (shift)   out_q        <= latch_q;
    end

    always_ff @(posedge clk_i) begin
      if (rst_i) begin
        latch_valid_q <= 1'b0;
        out_valid_q   <= 1'b0;
      end else begin
        latch_valid_q <= fetch || (latch_valid_q && !shift);
        out_valid_q   <= shift || (out_valid_q && !ready_i);
      end
    end

    assign valid_o = out_valid_q;
    assign data_o  = out_q;
  end else begin : gen_distributed
    (* ram_style = "distributed" *) logic [Width-1:0] ram [2**AddrWidth];

    always_ff @(posedge clk_i) begin
      if (valid_i) ram[write_q] <= data_i;
    end

    assign fetch   = pop;
    assign valid_o = !stored_q[CountWidth-1];
    assign data_o  = ram[read_q];
  end

`ifdef FORMAL
  // The contract.  The words written are numbered 0, 1, 2 ... (mod 2**Width); the FIFO never looks at a
  // word, so what holds for numbers holds for any data: in order, none lost, none twice is "the n-th word
  // out is n".  The writer is any pipeline of Margin - 1 cycles that starts only on room_o.
  typedef logic [AddrWidth+1:0] total_t;
  logic [Width-1:0]  in_q, out_number_q;
  logic [Margin-1:0] flight;               // bit 0: starts now; bit k: started k cycles ago
  logic              live_q = 1'b0;        // a reset was seen
  total_t            held, in_ram, ahead;  // words in all, in the RAM, in the registers behind it
  total_t            coming;               // words the writer is about to deliver
  (* anyseq *) logic start;
  initial assume (rst_i);

  assign flight[0] = start && room_o && !rst_i;
  if (Margin > 1) begin : gen_flight
    logic [Margin-2:0] flight_q;
    always_ff @(posedge clk_i) flight_q <= rst_i ? '0 : flight[Margin-2:0];
    assign flight[Margin-1:1] = flight_q;
  end
  always_comb assume (valid_i == flight[Margin-1]);
  always_comb assume (data_i == in_q);

  always_ff @(posedge clk_i) begin
    live_q       <= live_q || rst_i;
    in_q         <= rst_i ? '0 : in_q + Width'(valid_i);
    out_number_q <= rst_i ? '0 : out_number_q + Width'(pop);
  end

  assign held   = (AddrWidth + 2)'(Depth - Margin) - (AddrWidth + 2)'(slack_q);
  assign in_ram = (AddrWidth + 2)'(stored_q) + 1'b1;
  always_comb begin
    coming = '0;
    for (int unsigned k = 1; k < Margin; k++) coming = coming + (AddrWidth + 2)'(flight[k]);
  end

  always_comb if (live_q && !rst_i) begin
    assert (held <= Depth && in_ram <= Depth);
    assert (!valid_i || held < Depth);                            // no overflow
    assert (held + coming <= Depth);
    assert (room_o == (held <= Depth - Margin));
    assert (in_ram + ahead == held);
    assert (Width'(held) == Width'(in_q - out_number_q));         // none lost, none twice
    assert (!valid_o || held != 0);
    assert (!valid_o || data_o == out_number_q);                  // in order
    assert (AddrWidth'(write_q - read_q) == in_ram[AddrWidth-1:0]);
  end

  if (BlockRam) begin : gen_formal_block
    logic waiting_q;                       // a word was held, and none offered, a cycle ago
    assign ahead = (AddrWidth + 2)'(gen_block.latch_valid_q) + (AddrWidth + 2)'(gen_block.out_valid_q);
    always_ff @(posedge clk_i) waiting_q <= !rst_i && held != 0 && !valid_o;
    always_comb if (live_q && !rst_i) begin
      // A word in the RAM is in the latch a cycle later, and offered the cycle after that.
      assert (!waiting_q || gen_block.latch_valid_q || gen_block.out_valid_q);
      assert (!gen_block.latch_valid_q ||
              gen_block.latch_q == Width'(out_number_q + Width'(gen_block.out_valid_q)));
    end
    for (genvar k = 0; k < 2**AddrWidth; k++) begin : gen_slot
      always_comb if (live_q && !rst_i)
        assert (k >= in_ram ||
                gen_block.ram[AddrWidth'(read_q + k)] ==
                Width'(out_number_q + Width'(ahead) + Width'(k)));
    end
  end else begin : gen_formal_distributed
    assign ahead = '0;
    always_comb if (live_q && !rst_i) assert (valid_o == (held != 0));  // offered the cycle after
    for (genvar k = 0; k < 2**AddrWidth; k++) begin : gen_slot
      always_comb if (live_q && !rst_i)
        assert (k >= in_ram ||
                gen_distributed.ram[AddrWidth'(read_q + k)] == Width'(out_number_q + Width'(k)));
    end
  end
`elsif SYNTHESIS
`else
  always_ff @(posedge clk_i) begin
    if (!rst_i) assert (!valid_i || 32'(Depth - Margin) - 32'(slack_q) < 32'(Depth))
      else $error("esp_fifo: written while full (Depth %0d, Margin %0d): the word is lost", Depth, Margin);
  end
`endif
endmodule
