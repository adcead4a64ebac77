// SPDX-License-Identifier: BSD-2-Clause-Patent
// A comparison is one carry chain, whichever way it is written: a < b if a - b borrows.  Yosys' own
// rule (alumacc) orders the operands, and for half of them adds a LUT tree that tests for equality.
(* techmap_celltype = "$lt $le $gt $ge" *)
module compare (A, B, Y);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  parameter _TECHMAP_CELLTYPE_ = "";
  input [A_WIDTH-1:0] A;
  input [B_WIDTH-1:0] B;
  output [Y_WIDTH-1:0] Y;

  localparam Width = A_WIDTH > B_WIDTH ? A_WIDTH : B_WIDTH;
  localparam Signed = A_SIGNED && B_SIGNED;
  localparam Swap = _TECHMAP_CELLTYPE_ == "$gt" || _TECHMAP_CELLTYPE_ == "$le";
  localparam Invert = _TECHMAP_CELLTYPE_ == "$ge" || _TECHMAP_CELLTYPE_ == "$le";

  wire [Width-1:0] a = {{Width{Signed && A[A_WIDTH-1]}}, A};
  wire [Width-1:0] b = {{Width{Signed && B[B_WIDTH-1]}}, B};
  wire [Width-1:0] less = Swap ? b : a, more = Swap ? a : b;
  // Signed, the sign bits change sides, and unsigned order is right: of unlike ones the 1 is less.
  localparam [Width-1:0] Cross = Signed ? 1 << (Width - 1) : 0;
  wire [Width-1:0] x = (less & ~Cross) | (more & Cross), y = (more & ~Cross) | (less & Cross);
  wire [Width-1:0] sum, propagate, carry;
  \$alu #(.A_SIGNED(0), .B_SIGNED(0), .A_WIDTH(Width), .B_WIDTH(Width), .Y_WIDTH(Width)) chain (
    .A(x), .B(y), .BI(1'b1), .CI(1'b1), .X(propagate), .Y(sum), .CO(carry));
  assign Y = Invert ? carry[Width-1] : !carry[Width-1];
endmodule
