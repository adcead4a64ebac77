#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Random step functions: native C++ = HwIR, and native = HwIR = RTL under random stalls.

One batch has one seed: generate.py writes N functions into one file, which clang compiles once for
each side; stage_check translates them and writes the RTL, Verilator takes all of it as one bench, and
stage_check runs the three side by side.  A function that the translator rightly refuses, because a
stream of it is never used, is left out; the others have to be enough.

Replay:    run.py --seed 7 ... --function f3 --keep DIR
Long run:  run.py --seed 100 --batches 200 ...
Exit status: 0 all equal, 1 a difference, a wrong refusal or too few functions, 2 wrong usage.
"""

import argparse
import concurrent.futures
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
STAGE = HERE.parent / "stage"
sys.path[:0] = [str(HERE)]

import generate  # noqa: E402

INCLUDES = [ROOT / "hls/include/shim", ROOT / "hls/include"]
RIGHTLY_REFUSED = re.compile(r"^REFUSED (\w+): .*is never used", re.M)
LIMIT = 64   # LUT levels of a recurrence: random ones are deep
LEVELS = 3   # LUT levels of a stage: so pipelines are long


def run(command, folder):
    """Runs a command in `folder`; (its exit status, its output)."""
    done = subprocess.run(list(map(str, command)), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def batch(seed, options, folder):
    """One batch in `folder`: (functions found equal, problems)."""
    made = generate.functions(seed, options.functions)
    if options.function:
        made = [f for f in made if f.name == options.function]
    (folder / "steps.cpp").write_text(generate.source(seed, made))
    (folder / "native.cpp").write_text(generate.natives(made, "steps.cpp"))
    status, output = run([options.cxx, "-std=c++20", "-w", "-O0", "-shared", "-fPIC", *(f"-I{i}" for i in INCLUDES),
                          "-I", STAGE, "native.cpp", "-o", "native.so"], folder)
    if status:
        return 0, f"clang refuses what generate.py wrote:\n{output[-2000:]}"

    (folder / "rtl").mkdir(exist_ok=True)
    verilate = [sys.executable, STAGE / "verilate_stages.py", "--library", "rtl.so", "--work", "bench",
                "--leaves", ROOT / "hw/common", "--cxx", options.cxx, "--optimise=-O0"]
    status, output = run([options.check, "--native", "./native.so", "--source", "steps.cpp", "--flag=-w",
                          *(f"--flag=-I{i}" for i in INCLUDES), "--seed", seed, "--emit", "rtl", "--limit", LIMIT,
                          "--levels", LEVELS, "--build", shlex.join(map(str, verilate)) + " rtl/*.sv",
                          "--rtl", "./rtl.so"], folder)
    refused = set(RIGHTLY_REFUSED.findall(output))
    bad = [line for line in output.splitlines() if line.startswith(("REFUSED", "DIFFERENT"))
           and line.split()[1].rstrip(":") not in refused]
    if bad or status not in (0, 1) or (status and not refused):
        return 0, "\n".join(bad) or output
    return len(made) - len(refused), ""


def run_batch(seed, options):
    if options.keep:
        folder = options.keep / str(seed)
        folder.mkdir(parents=True, exist_ok=True)
        return seed, *batch(seed, options, folder)
    with tempfile.TemporaryDirectory(prefix="espalier-random-") as folder:
        return seed, *batch(seed, options, pathlib.Path(folder))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", required=True, type=pathlib.Path, help="the program stage_check")
    parser.add_argument("--cxx", default="clang++-19")
    parser.add_argument("--seed", type=int, default=1, help="of the first batch")
    parser.add_argument("--batches", type=int, default=1)
    parser.add_argument("--functions", type=int, default=22, help="in a batch")
    parser.add_argument("--enough", type=int, default=0, help="so many equal in a batch, or it is a failure")
    parser.add_argument("--function", help="only this one, e.g. f3")
    parser.add_argument("--keep", type=pathlib.Path, help="folder to leave the files in")
    parser.add_argument("--jobs", type=int, default=1, help="batches at a time")
    options = parser.parse_args()
    options.check = options.check.resolve()
    if options.keep:
        options.keep = options.keep.resolve()

    equal, bad = 0, 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for future in [pool.submit(run_batch, options.seed + i, options) for i in range(options.batches)]:
            seed, count, problem = future.result()
            equal += count
            print(f"seed {seed}: {count} functions, native = HwIR = RTL" if not problem else f"seed {seed}: FAILED\n{problem}",
                  flush=True)
            if problem:
                bad += 1
                print(f"replay: {HERE / 'run.py'} --check {options.check} --cxx {options.cxx} --seed {seed}"
                      f" --functions {options.functions} --keep DIR [--function f3]", flush=True)
    enough = options.function or equal >= options.batches * options.enough
    print(f"random: {equal} of {options.batches * options.functions} functions equal, {bad} of {options.batches} batches failed")
    return 0 if enough and not bad else 1


if __name__ == "__main__":
    sys.exit(main())
