#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Proves the contracts of the leaves of hw/, for all time, by induction.

Each leaf states its contract under FORMAL: an environment (assumptions) and what must hold
(assertions).  Yosys and its SAT solver show that no assertion fails in the first cycle, which is one
of reset, and that none can fail in the cycle after one in which all held.  Then every mutant, a leaf
with one mistake put in, must be refuted: a proof that cannot fail proves nothing.

A leaf that contains FIFOs is proved with esp_fifo's contract (hw/formal/esp_fifo.sv) in their place,
and with beats of 8 bits, since no leaf looks into one.  Exit status: 0 all as expected, 1 not, 2 a tool
is missing.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time

HW = pathlib.Path(__file__).resolve().parent.parent
REFUTE = 12    # cycles from reset within which a mutant must fail
TIMEOUT = 300  # seconds for one run of the solver

PROOFS = [
    ("esp_credit", {"Credits": 1, "MaxTake": 1}),
    ("esp_credit", {"Credits": 6, "MaxTake": 4}),
    ("esp_credit", {"Credits": 100, "MaxTake": 9}),
    ("esp_round_robin", {"Requests": 1}),
    ("esp_round_robin", {"Requests": 3}),
    ("esp_round_robin", {"Requests": 4}),
    ("esp_round_robin", {"Requests": 16}),
    ("esp_skid", {"Width": 2}),
    ("esp_skid", {"Width": 8}),
    ("esp_fifo", {"Width": 3, "Depth": 2, "Margin": 1, "BlockRam": 0}),
    ("esp_fifo", {"Width": 4, "Depth": 4, "Margin": 4, "BlockRam": 0}),
    ("esp_fifo", {"Width": 4, "Depth": 5, "Margin": 2, "BlockRam": 0}),
    ("esp_fifo", {"Width": 5, "Depth": 8, "Margin": 5, "BlockRam": 0}),
    ("esp_fifo", {"Width": 3, "Depth": 2, "Margin": 1, "BlockRam": 1}),
    ("esp_fifo", {"Width": 4, "Depth": 4, "Margin": 4, "BlockRam": 1}),
    ("esp_fifo", {"Width": 4, "Depth": 5, "Margin": 2, "BlockRam": 1}),
    ("esp_fifo", {"Width": 5, "Depth": 8, "Margin": 5, "BlockRam": 1}),
    ("esp_burst_split", {}),
    ("esp_gate", {"OutputBeats": 9, "EngineJobs": 3}),
    ("esp_gate", {"OutputBeats": 1024, "EngineJobs": 256}),
    ("esp_retire", {"Writes": 4, "Jobs": 3}),
    ("esp_read_buffer", {"Beats": 4, "IdWidth": 2}),
]

# What is broken: leaf, parameters, text of the leaf, text of the mutant.
FIFO = {"Width": 4, "Depth": 4, "Margin": 2, "BlockRam": 0}
BLOCK = {**FIFO, "BlockRam": 1}
READS = {"Beats": 4, "IdWidth": 2}
RETIRE = {"Writes": 4, "Jobs": 3}
GATE = {"OutputBeats": 9, "EngineJobs": 3}
MUTANTS = [
    ("room promised one slot too early", "esp_fifo", FIFO,
     "slack_q  <= CountWidth'(Depth - Margin);", "slack_q  <= CountWidth'(Depth - Margin + 1);"),
    ("word kept after it was taken", "esp_fifo", FIFO, "assign fetch   = pop;", "assign fetch   = 1'b0;"),
    ("latch emptied too early", "esp_fifo", BLOCK, "fetch || (latch_valid_q && !shift)", "fetch"),
    ("latch overwritten", "esp_fifo", BLOCK, "(!latch_valid_q || shift)", "1'b1"),
    ("output register overwritten", "esp_fifo", BLOCK, "(!out_valid_q || ready_i)", "1'b1"),
    ("word dropped on a stall", "esp_skid", {"Width": 4}, "!move && (valid_i", "!move && (1'b0"),
    ("spare word overwritten", "esp_skid", {"Width": 4}, "if (!spare_valid_q) spare_q", "spare_q"),
    ("order turned", "esp_skid", {"Width": 4}, "spare_valid_q ? spare_q : data_i", "data_i"),
    ("credit promised that is not there", "esp_credit", {"Credits": 6, "MaxTake": 4},
     "slack_q <= (AmountWidth + 1)'(Credits - MaxTake);",
     "slack_q <= (AmountWidth + 1)'(Credits - MaxTake + 1);"),
    ("turn kept by who has it", "esp_round_robin", {"Requests": 3}, "else if (take_i) after_q", "else if (1'b0) after_q"),
    ("turn given back to who had it", "esp_round_robin", {"Requests": 4}, "Requests'(2) << chosen_o", "Requests'(1) << chosen_o"),
    ("nobody asked", "esp_round_robin", {"Requests": 4}, "? request_i & after_q : request_i", "? request_i & after_q : '1"),
    ("returned credit lost", "esp_credit", {"Credits": 6, "MaxTake": 4}, "+ {1'b0, give_i}", ""),
    ("burst over a page", "esp_burst_split", {}, "13'd4096 - {1'b0, now.address[11:0]}", "13'd4096"),
    ("octet lost between bursts", "esp_burst_split", {}, "now.length - 16'(bytes)", "now.length - 16'(bytes) - 16'd1"),
    ("last burst unmarked", "esp_burst_split", {}, "end else if (absorb && segment_i.last) begin", "end else if (1'b0) begin"),
    ("beat forgotten", "esp_burst_split", {}, "now.address[5:0]) + 14'd63", "now.address[5:0]) + 14'd62"),
    ("answered before its writes landed", "esp_retire", RETIRE, "(!job.writes || landed_valid)", "1'b1"),
    ("error of an earlier burst lost", "esp_retire", RETIRE, "error_q <= error && !flight_last", "error_q <= 1'b0"),
    ("error kept for the next job", "esp_retire", RETIRE, "error_q <= error && !flight_last", "error_q <= error"),
    ("room for one beat too few", "esp_gate", GATE, "beats_q >= $signed", "beats_q + 14'sd1 >= $signed"),
    ("result without a place", "esp_gate", GATE, "&& results_q != '0;", ";"),
    ("failed job into the engine", "esp_gate", GATE, "engine_valid_o  <= (enter && !fail)", "engine_valid_o  <= enter"),
    ("entered before its payload", "esp_gate", GATE, "job_valid_i && ready_valid_i && room", "job_valid_i && room"),
    ("all IDs out look like none", "esp_read_buffer", READS, "(IdWidth + 1)'(Ids - 1);", "(IdWidth + 1)'(Ids);"),
    ("beats given out twice", "esp_read_buffer", READS, "- (admit ? (Log2 + 1)'(burst_i.beats) : '0)", ""),
    ("answers of an ID not counted", "esp_read_buffer", READS, "r_i.last ? '0 : count + 7'd1", "'0"),
    ("announced before all of it came", "esp_read_buffer", READS, "&& done_q[scan_q] && announce_room", "&& announce_room"),
    ("error of an earlier burst forgotten", "esp_read_buffer", READS, "job_error_q || error_q[scan_q]),", "error_q[scan_q]),"),
    ("beat skipped", "esp_read_buffer", READS, "given_q + 7'd1 >= give_burst.beats", "given_q + 7'd2 >= give_burst.beats"),
    ("octets of the last beat miscounted", "esp_read_buffer", READS, "left < 13'(in_beat) ? left[6:0] : in_beat", "in_beat"),
    ("reset while reads are in flight", "esp_read_buffer", READS, "flying_q == '0 && !ar_valid_o", "!ar_valid_o"),
]


def with_surroundings(leaf, text):
    """The leaf with what it needs around it, as Yosys 0.23 reads it: packages as plain text."""
    parts = [] if leaf == "esp_fifo" else [HW / "formal/esp_fifo.sv"]
    parts = [HW / "common/espalier_pkg.sv", HW / "common/esp_shell_pkg.sv", *parts]
    text = "".join(part.read_text() for part in parts) + text
    text = re.sub(r"^ *(import \w+::\*;|(end)?package\b.*)\n", "", text, flags=re.M)
    return text.replace("logic [511:0] beat_t", "logic [7:0] beat_t")


def solve(leaf, text, parameters, options):
    """Runs Yosys' solver on one choice of parameters: its report."""
    chparam = " ".join(f"-chparam {k} {v}" for k, v in parameters.items())
    script = (f"read_verilog -defer -sv -formal leaf.sv; hierarchy -check -top {leaf} {chparam}; proc; flatten; opt;"
              f" memory_map; opt -full; dffunmap; opt_clean; sat -prove-asserts -set-assumes {options}")
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "leaf.sv").write_text(with_surroundings(leaf, text))
        try:
            run = subprocess.run(["yosys", "-p", script], cwd=folder, timeout=TIMEOUT, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            return run.stdout
        except subprocess.TimeoutExpired:
            return f"no answer in {TIMEOUT} s"


def prove(leaf, text, parameters):
    """Base case and induction of one leaf: None if proved, else the end of the solver's report."""
    report = solve(leaf, text, parameters, "-tempinduct -maxsteps 1 -show-public")
    return None if "Induction step proven: SUCCESS!" in report else report[-4000:]


def refute(leaf, text, parameters):
    """True if a run from reset breaks an assertion: a failed induction alone would not count."""
    report = solve(leaf, text, parameters, f"-tempinduct-baseonly -maxsteps {REFUTE}")
    return "model found for base case: FAIL!" in report


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--leaf", help="only this leaf, e.g. esp_fifo")
    arguments = parser.parse_args()
    if not shutil.which("yosys"):
        print("formal: yosys not found; install it with tools/deps.sh", file=sys.stderr)
        return 2

    proofs = [p for p in PROOFS if arguments.leaf in (None, p[0])]
    mutants = [m for m in MUTANTS if arguments.leaf in (None, m[1])]
    total, done, bad = len(proofs) + len(mutants), 0, 0
    started = time.monotonic()
    read = {p: next(HW.glob(f"[!f]*/{p}.sv")).read_text() for p in {q[0] for q in proofs}}

    for leaf, parameters in proofs:
        done += 1
        shown = f"[{done}/{total}] {leaf} " + " ".join(f"{k}={v}" for k, v in parameters.items())
        report = prove(leaf, read[leaf], parameters)
        print(f"{shown}: {'proved' if report is None else 'NOT PROVED'}", flush=True)
        if report is not None:
            bad += 1
            print(textwrap.indent(report, "    "))
    for what, leaf, parameters, old, new in mutants:
        done += 1
        if read[leaf].count(old) != 1:
            print(f"[{done}/{total}] {leaf}: the mutant's text {old!r} is not in the leaf once: update MUTANTS")
            bad += 1
            continue
        refuted = refute(leaf, read[leaf].replace(old, new), parameters)
        print(f"[{done}/{total}] {leaf} with a mistake ({what}): {'refuted' if refuted else 'NOT REFUTED'}", flush=True)
        bad += not refuted

    print(f"formal: {len(proofs)} contracts proved by induction, {len(mutants)} mutants refuted"
          f" in {time.monotonic() - started:.0f} s" if bad == 0 else f"formal: {bad} of {total} FAILED")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
