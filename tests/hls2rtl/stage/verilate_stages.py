#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Makes a shared library (rtl_api.hpp) of generated stage modules, side by side in one bench.

Reads the ports of each FILE.sv, one stage module per file; writes bench.sv, which gathers the
streams of all of them in wide vectors, so that one C++ file (rtl_model.cpp) drives any bench; runs
Verilator and links.
"""

import argparse
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
OPTIONS = HERE.parents[2] / "sim/verilator.f"
PORT = re.compile(r"^\s*(input|output)\s+(?:wire\s+|var\s+)?logic\s*(?:\[\s*(\d+)\s*:\s*0\s*\])?\s*(\w+)\s*[,)]?", re.M)


class Stream:
    """An input or output stream of a stage module, with its place in the bench's vectors."""

    def __init__(self, stage, name, is_input, width):
        self.stage, self.name, self.is_input, self.width = stage, name, is_input, width
        self.index = self.word = 0

    @property
    def words(self):
        return (self.width + 31) // 32


def read_streams(path):
    """(module name, its streams) of a generated file."""
    text = path.read_text()
    module = re.search(r"^module\s+(\w+)", text, re.M)
    if not module:
        sys.exit(f"{path}: no module")
    header = text[module.end():text.index(");", module.end()) + 1]
    ports = {name: (direction, int(high or 0) + 1) for direction, high, name in PORT.findall(header)}
    streams = []
    for name, (_, width) in ports.items():
        if name.endswith("_data_i"):
            streams.append(Stream(module[1], name[:-7], True, width))
        elif name.endswith("_data_o"):
            streams.append(Stream(module[1], name[:-7], False, width))
    return module[1], streams


def place(streams):
    """Gives each stream its index and words; returns (number of streams, of words), at least 3 words
    so that Verilator makes every vector an array."""
    word = 0
    for index, stream in enumerate(streams):
        stream.index, stream.word = index, word
        word += stream.words
    return max(len(streams), 65), max(word, 3)


def bench(stages):
    """The text of bench.sv."""
    streams = [s for _, listed in stages for s in listed]
    inputs, outputs = [s for s in streams if s.is_input], [s for s in streams if not s.is_input]
    count_in, words_in = place(inputs)
    count_out, words_out = place(outputs)
    lines = ["module bench (", "  input logic clk_i,", "  input logic rst_i,",
             f"  input logic [{count_in - 1}:0] in_valid_i,", f"  input logic [{32 * words_in - 1}:0] in_data_i,",
             f"  output logic [{count_in - 1}:0] in_ready_o,", f"  output logic [{count_out - 1}:0] out_valid_o,",
             f"  output logic [{32 * words_out - 1}:0] out_data_o,", f"  input logic [{count_out - 1}:0] out_room_i",
             ");"]
    for name, listed in stages:
        connections = [".clk_i(clk_i)", ".rst_i(rst_i)"]
        for s in listed:
            side, low = ("in" if s.is_input else "out"), 32 * s.word
            suffix = "i" if s.is_input else "o"
            connections.append(f".{s.name}_valid_{suffix}({side}_valid_{suffix}[{s.index}])")
            connections.append(f".{s.name}_data_{suffix}({side}_data_{suffix}[{low + s.width - 1}:{low}])")
            if s.is_input:
                connections.append(f".{s.name}_ready_o(in_ready_o[{s.index}])")
            else:
                connections.append(f".{s.name}_room_i(out_room_i[{s.index}])")
                if s.width % 32:
                    lines.append(f"  assign out_data_o[{32 * (s.word + s.words) - 1}:{low + s.width}] = '0;")
        lines.append(f"  {name} u_{name} (\n    " + ",\n    ".join(connections) + "\n  );")
    return "\n".join(lines + ["endmodule", ""])


def port_table(stages):
    """The text of bench_ports.hpp."""
    rows = "\n".join(f'    {{"{s.stage}", "{s.name}", {str(s.is_input).lower()}, {s.width}, {s.index}, {s.word}}},'
                     for _, listed in stages for s in listed)
    return ('#pragma once\n#include "rtl_api.hpp"\n'
            "namespace espalier::stagecheck {\n"
            f"inline const RtlPort kPorts[] = {{\n{rows}\n}};\n"
            "}  // namespace espalier::stagecheck\n")


def run(command, log):
    """Runs a command; its output goes to the log and, if it fails, to stderr."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with log.open("a") as out:
        out.write(" ".join(map(str, command)) + "\n" + done.stdout)
    if done.returncode:
        sys.stderr.write(done.stdout)
        sys.exit(f"verilate_stages: {command[0]} failed; see {log}")


def verilate(files, library, work, leaves, cxx, optimise):
    """Builds `library` from stage files, in folder `work`."""
    work.mkdir(parents=True, exist_ok=True)
    stages = [read_streams(f) for f in files]
    (work / "bench.sv").write_text(bench(stages))
    (work / "bench_ports.hpp").write_text(port_table(stages))
    log = work / "log.txt"
    log.write_text("")
    include = subprocess.run(["verilator", "--getenv", "VERILATOR_ROOT"], check=True, text=True,
                             stdout=subprocess.PIPE).stdout.strip() + "/include"
    run(["verilator", "--cc", "--build", "-O3", "-f", OPTIONS, "--assert", "--top-module", "bench", "--Mdir", work / "obj",
         "-y", leaves, "-Wno-fatal", "-Wno-lint", "--output-split", "20000", "-CFLAGS", "-fPIC", "-MAKEFLAGS",
         f"CXX={cxx} OPT_FAST={optimise} OPT_SLOW=-O0 OPT_GLOBAL=-O1 OBJCACHE={'ccache' if have('ccache') else ''} --silent",
         work / "bench.sv", *files], log)
    run([cxx, "-std=c++20", "-shared", "-fPIC", optimise, "-I", work / "obj", "-I", work, "-I", HERE, "-isystem", include,
         HERE / "rtl_model.cpp", work / "obj" / "Vbench__ALL.a", *runtime(work / "obj"), "-o", library], log)


def runtime(objects):
    """Verilator's own objects, as its makefile built them or not (older ones leave that to --exe)."""
    return [f for f in sorted(objects.glob("verilated*.o"))]


def have(tool):
    return subprocess.run(["which", tool], stdout=subprocess.DEVNULL).returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=pathlib.Path, metavar="FILE.sv")
    parser.add_argument("--library", required=True, type=pathlib.Path)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--leaves", required=True, type=pathlib.Path, help="folder of esp_fifo and the like")
    parser.add_argument("--cxx", default="clang++-19")
    parser.add_argument("--optimise", default="-O1", help="of the C++ compiler")
    arguments = parser.parse_args()
    verilate(arguments.files, arguments.library, arguments.work, arguments.leaves, arguments.cxx,
             arguments.optimise)


if __name__ == "__main__":
    main()
