// SPDX-License-Identifier: BSD-2-Clause-Patent

// Performance counters: 64 bits each, read as two words.
//
// Purpose:  says where the cycles went.  Counter k adds add_i[k] every cycle.
// Reading:  address {k, half}; reading a low half latches the high half, so that the pair belongs together.
// Latency:  one cycle from read_i to data_o.
// Reset:    synchronous; all zero.
module esp_counters #(
  parameter int unsigned Counters = 9,                 // how many, 1..32
  parameter int unsigned AddWidth = 17                 // bits of an increment
) (
  input  logic                              clk_i,
  input  logic                              rst_i,
  input  logic [Counters-1:0][AddWidth-1:0] add_i,
  input  logic                              read_i,
  input  logic [5:0]                        address_i, // {counter, high half}
  output logic [31:0]                       data_o
);
  logic [63:0] count_q [Counters];
  logic [31:0] high_q;
  localparam int unsigned Width = Counters > 1 ? $clog2(Counters) : 1;
  logic [4:0]       number;
  logic [Width-1:0] which;
  assign number = address_i[5:1];
  assign which  = number[Width-1:0];

  for (genvar k = 0; k < int'(Counters); k++) begin : gen_counter
    always_ff @(posedge clk_i) begin
      if (rst_i) count_q[k] <= '0;
      else       count_q[k] <= count_q[k] + 64'(add_i[k]);
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      high_q <= '0;
      data_o <= '0;
    end else if (read_i) begin
      if (32'(number) >= Counters) data_o <= '0;
      else if (address_i[0])      data_o <= high_q;
      else begin
        data_o <= count_q[which][31:0];
        high_q <= count_q[which][63:32];
      end
    end
  end
endmodule
