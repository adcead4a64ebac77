#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""The counting rules of README.md, each on a module of which the figures are known."""

import pathlib
import subprocess
import tempfile
import unittest

import synth

HEAD = "module m (input logic clk_i, input logic [{w}:0] a_i, b_i, output logic [{w}:0] q_o);\n"


class Rules(unittest.TestCase):
    def figures(self, body, width=8):
        """Figures of a module with `body`."""
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "m.sv"
            file.write_text(HEAD.format(w=width - 1) + body + "\nendmodule\n")
            return synth.estimate("m", [file], pathlib.Path(folder), 100)["m"]

    def equivalent(self, body, width):
        """Proves that compare.v leaves what `body` computes."""
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "m.sv"
            file.write_text(HEAD.format(w=width - 1) + body + "\nendmodule\n")
            proof = (f"read_verilog -sv {file}; proc; copy m mapped; techmap -map {synth.COMPARE} mapped; "
                     "miter -equiv -flatten m mapped both; sat -verify -prove trigger 0 both")
            run = subprocess.run(["yosys", "-q", "-p", proof], capture_output=True, text=True)
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_six_inputs_are_one_lut(self):
        f = self.figures("assign q_o = {7'b0, ^a_i[2:0] ^ &b_i[2:0]};")
        self.assertEqual((f["luts"], f["levels_max"]), (1, 1))

    def test_adder_is_one_lut_a_bit_and_one_level(self):
        f = self.figures("assign q_o = a_i + b_i;", 32)
        self.assertEqual((f["luts"], f["luts_carry"], f["levels_max"]), (32, 32, 1))

    def test_comparison_is_one_chain_whichever_way_it_is_written(self):
        for sign in ("", "$signed"):
            for operator in ("<", "<=", ">", ">="):
                for left, right in (("a_i", "b_i"), ("b_i", "a_i")):
                    f = self.figures(f"assign q_o = {sign}({left}) {operator} {sign}({right});", 16)
                    self.assertLessEqual(f["luts_carry"], 16, operator)
                    self.assertLessEqual(f["levels_max"], 2, operator)

    def test_comparison_is_right(self):
        for sign in ("", "$signed"):
            self.equivalent(" ".join(f"assign q_o[{i}] = {sign}(a_i[{w - 1}:0]) {o} {sign}(b_i[3:0]);"
                                     for i, (o, w) in enumerate((o, w) for o in ("<", "<=", ">", ">=")
                                                                for w in (2, 4, 6))), 12)

    def test_registers_cut_paths(self):
        f = self.figures("logic [31:0] s; always_ff @(posedge clk_i) begin s <= a_i + b_i; q_o <= s + b_i; end", 32)
        self.assertEqual((f["ffs"], f["levels_max"]), (64, 1))

    def test_long_chain_is_a_shift_register(self):
        f = self.figures("logic [7:0] s[10]; always_ff @(posedge clk_i) begin s[0] <= a_i;"
                         " for (int i = 1; i < 10; i++) s[i] <= s[i-1]; end assign q_o = s[9];")
        self.assertEqual((f["luts_srl"], f["ffs"]), (8, 8))

    def test_small_memory_is_lut_ram(self):
        f = self.figures("logic [27:0] r[32]; always_ff @(posedge clk_i) r[a_i[4:0]] <= b_i; assign q_o = r[b_i[4:0]];", 28)
        self.assertEqual((f["luts_ram"], f["mem_bits"], f["levels_max"]), (16, 0, 1))

    def test_large_memory_is_bits(self):
        f = self.figures("logic [7:0] r[128]; always_ff @(posedge clk_i) begin r[a_i[6:0]] <= b_i; q_o <= r[b_i[6:0]]; end")
        self.assertEqual((f["luts_ram"], f["mem_bits"]), (0, 1024))

    def test_table_of_256_bytes(self):
        f = self.figures("logic [7:0] t[256]; initial for (int i = 0; i < 256; i++) t[i] = 8'(i * 73 + (i * i >> 3));"
                         " always_ff @(posedge clk_i) q_o <= t[a_i];")
        self.assertEqual((f["luts_rom"], f["mem_bits"], f["levels_max"]), (32, 0, 1))

    def test_multiplier_is_a_dsp(self):
        f = self.figures("assign q_o = a_i[15:0] * b_i[15:0];", 32)
        self.assertEqual(f["dsps"], 1)

    def test_missing_name_is_refused(self):
        with self.assertRaises(RuntimeError):
            self.figures("assign q_o = nowhere;")


if __name__ == "__main__":
    unittest.main()
