#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Proves the contracts of the leaves in hw/common, for all time, by k-induction.

Each leaf states its contract under FORMAL: an environment (assumptions) and what must hold
(assertions).  Yosys turns leaf and parameters into SMT2; yosys-smtbmc and z3 show that no assertion
fails in the first BASE cycles after reset and that none can fail in the cycle after one in which all
held.  Then every mutant, a leaf with one mistake put in, must be refuted: a proof that cannot fail
proves nothing.  Exit status: 0 all as expected, 1 not, 2 a tool is missing.
"""

import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BASE = 8       # cycles of the base case, from reset
INDUCTION = 1  # cycles assumed before the cycle proved
TIMEOUT = 120  # seconds for one run of the solver

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
]

# What is broken: leaf, parameters, text of the leaf, text of the mutant.
FIFO = {"Width": 4, "Depth": 4, "Margin": 2, "BlockRam": 0}
BLOCK = {**FIFO, "BlockRam": 1}
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
]


def to_smt2(leaf, source, parameters, folder):
    """Writes leaf.smt2 for one choice of parameters and returns its path."""
    chparam = " ".join(f"-chparam {k} {v}" for k, v in parameters.items())
    (folder / f"{leaf}.sv").write_text(source)
    script = (f"read_verilog -sv -formal {leaf}.sv; hierarchy -check -top {leaf} {chparam}; proc; opt;"
              f" memory_map; opt -full; dffunmap; opt_clean; write_smt2 -wires {leaf}.smt2")
    subprocess.run(["yosys", "-q", "-p", script], cwd=folder, check=True)
    return folder / f"{leaf}.smt2"


def holds(smt2, *options):
    """Runs the solver: (proved, its report)."""
    command = ["yosys-smtbmc", "--noprogress", "-s", "z3", *options, str(smt2)]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    try:
        report, _ = run.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)  # the solver is a child of its own
        report, _ = run.communicate()
        report += f"no answer in {TIMEOUT} s"
    return "Status: PASSED" in report, report


def prove(leaf, source, parameters):
    """Base case and induction of one leaf: None if proved, else what the solver said."""
    with tempfile.TemporaryDirectory() as folder:
        smt2 = to_smt2(leaf, source, parameters, pathlib.Path(folder))
        for options in (["-t", str(BASE)], ["-i", "-t", str(INDUCTION)]):
            proved, report = holds(smt2, *options)
            if not proved:
                return report
    return None


def refute(leaf, source, parameters):
    """True if a run from reset breaks an assertion: a failed induction alone would not count."""
    with tempfile.TemporaryDirectory() as folder:
        smt2 = to_smt2(leaf, source, parameters, pathlib.Path(folder))
        return "Status: FAILED" in holds(smt2, "-t", str(BASE))[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--leaves", type=pathlib.Path, help="folder of the leaves",
                        default=pathlib.Path(__file__).resolve().parent.parent / "common")
    parser.add_argument("--leaf", help="only this leaf, e.g. esp_fifo")
    arguments = parser.parse_args()
    for tool in ("yosys", "yosys-smtbmc", "z3"):
        if not shutil.which(tool):
            print(f"formal: {tool} not found; install it with tools/deps.sh", file=sys.stderr)
            return 2

    proofs = [p for p in PROOFS if arguments.leaf in (None, p[0])]
    mutants = [m for m in MUTANTS if arguments.leaf in (None, m[1])]
    total, done, bad = len(proofs) + len(mutants), 0, 0
    started = time.monotonic()
    read = {p: (arguments.leaves / f"{p}.sv").read_text() for p in {q[0] for q in proofs}}

    for leaf, parameters in proofs:
        done += 1
        shown = f"[{done}/{total}] {leaf} " + " ".join(f"{k}={v}" for k, v in parameters.items())
        report = prove(leaf, read[leaf], parameters)
        print(f"{shown}: {'proved' if report is None else 'NOT PROVED'}", flush=True)
        if report is not None:
            bad += 1
            print(re.sub(r"^", "    ", report, flags=re.M))
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
