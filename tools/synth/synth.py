#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Estimates area and logic depth of the generated engine with Yosys.  README.md states the rules.

Every module is mapped on its own (no flattening across stages), to 6-input LUTs by `abc -lut 6`;
adders, memories, ROMs and shift registers are counted by rule.  Writes REPORT, a JSON object
{"estimate": ..., "modules": {name: {luts, ffs, mem_bits, dsps, levels_max, ...}}, "total": {...}},
and prints a table.  Exit status: 0 done, 1 Yosys refuses a module, 2 wrong usage.
"""

import argparse
import concurrent.futures
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import netlist

COMPARE = pathlib.Path(__file__).with_name("compare.v")

YOSYS = """\
read_verilog -sv -noassert -noautowire {files}
hierarchy -top {top}
proc
opt
wreduce
peepopt
opt_clean
techmap -map {compare}
opt_clean
alumacc t:* t:$mul %d
maccmap t:$macc
opt -full
memory_dff
opt_clean
opt_dff
# Short adders are logic; the others stay carry chains.
techmap t:* t:$alu %d t:$mul %d t:$fa %d t:$mem* %d
techmap t:$alu r:Y_WIDTH<=3 %i
opt -full
shregmap -minlen 3 -keep_after 1 -clkpol pos
# Yosys' own script restructures before it maps and pulls XOR trees apart that are written in LUTs;
# balance touches chains of AND and OR alone.
abc -lut 6 -script +strash;balance;if,-K,6,-C,16,-A,4,-F,4
opt_clean -purge
memory_collect
write_json {json}
"""


def run_yosys(top, files, timeout):
    """The mapped design as Yosys' JSON."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "netlist.json"
        script = pathlib.Path(folder) / "run.ys"
        script.write_text(YOSYS.format(files=" ".join(map(str, files)), top=top, json=out, compare=COMPARE))
        run = subprocess.run(["yosys", "-q", "-s", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, timeout=timeout)
        if run.returncode:
            raise RuntimeError(f"synth: Yosys refuses {top} (status {run.returncode}):\n{run.stdout[-2000:]}")
        return json.loads(out.read_text())


def estimate(top, files, cache, timeout):
    """{module: figures} for `top` and what it instantiates; remembered by the content of the files."""
    rules = (f.read_bytes() for f in (pathlib.Path(__file__), pathlib.Path(netlist.__file__), COMPARE))
    digest = hashlib.sha256(b"\0".join([top.encode(), *rules, *(f.read_bytes() for f in files)])).hexdigest()
    known = cache / f"{top}.json"
    if known.exists():
        remembered = json.loads(known.read_text())
        if remembered["digest"] == digest:
            return remembered["modules"]
    design = run_yosys(top, files, timeout)
    modules = {name: netlist.figures(module) for name, module in design["modules"].items()
               if not module["attributes"].get("blackbox")}
    known.write_text(json.dumps({"digest": digest, "modules": modules}))
    return modules


def total(top, modules):
    """Sums over all instances below `top`."""
    result = dict.fromkeys(netlist.SUMS, 0) | {"levels_max": 0}

    def add(name):
        figures = modules[name]
        for key in netlist.SUMS:
            result[key] += figures[key]
        result["levels_max"] = max(result["levels_max"], figures["levels_max"])
        for kind in figures["instances"].values():
            if kind not in modules:
                sys.exit(f"synth: {name} instantiates {kind}, of which there is no file")
            add(kind)

    add(top)
    return result


def instances(top, modules):
    """{module: names of its instances below `top`}; u_held_fifo is `held`."""
    found = {name: [] for name in modules} | {top: [top]}

    def add(name):
        for instance, kind in modules[name]["instances"].items():
            found[kind].append(instance.removeprefix("u_").removesuffix("_fifo").removesuffix("_skid"))
            add(kind)

    add(top)
    return found


def readable(name, of):
    """$paramod$0cd1...\\esp_fifo, which Yosys derives: esp_fifo and the instances it is there for."""
    if not name.startswith("$paramod"):
        return name
    kind = name.split("\\")[1]
    return f"{kind} {', '.join(of)}"


def table(modules, found, sums):
    columns = ["luts", "ffs", "mem_bits", "dsps", "levels_max"]
    rows = [(readable(name, found[name]), len(found[name]), *(m[c] for c in columns), m["worst_path"])
            for name, m in modules.items()]
    rows.sort(key=lambda row: -row[1] * row[2])
    width = max(len(row[0]) for row in rows)
    head = f"{'module (each)':{width}}  count {'LUTs':>8} {'FFs':>8} {'mem bits':>10} {'DSPs':>5} {'levels':>6}  deepest path ends at"
    lines = [head, "-" * len(head)]
    for name, count, luts, ffs, bits, dsps, levels, path in rows:
        lines.append(f"{name:{width}}  {count:5} {luts:8} {ffs:8} {bits:10} {dsps:5} {levels:6}  {path}")
    lines.append(f"{'total':{width}}        {sums['luts']:8} {sums['ffs']:8} {sums['mem_bits']:10} {sums['dsps']:5}"
                 f" {sums['levels_max']:6}")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rtl", required=True, type=pathlib.Path, help="folder of the generated modules")
    parser.add_argument("--top", default="engine", help="the stitched top among them")
    parser.add_argument("--leaves", required=True, type=pathlib.Path, help="folder of esp_fifo and the like")
    parser.add_argument("--report", required=True, type=pathlib.Path, help="JSON file to write")
    parser.add_argument("--cache", required=True, type=pathlib.Path, help="folder to remember figures in")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--timeout", type=int, default=1800, help="seconds for one module")
    arguments = parser.parse_args()
    if not shutil.which("yosys"):
        print("synth: yosys not found; install it with tools/deps.sh", file=sys.stderr)
        return 2
    files = {f.stem: f for f in sorted(arguments.rtl.glob("*.sv"))}
    if arguments.top not in files:
        print(f"synth: no {arguments.top}.sv in {arguments.rtl}; run `make rtl`", file=sys.stderr)
        return 2

    arguments.cache.mkdir(parents=True, exist_ok=True)
    top_text = files[arguments.top].read_text()
    leaves = [f for f in sorted(arguments.leaves.glob("*.sv")) if f.stem in top_text]
    # The largest first, so that none is left to run alone in the end.
    by_size = sorted(files.items(), key=lambda item: -item[1].stat().st_size)
    jobs = {name: [f] for name, f in by_size if name != arguments.top}
    jobs[arguments.top] = [files[arguments.top], *leaves]
    modules, failed, begun = {}, False, time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        running = {pool.submit(estimate, name, given, arguments.cache, arguments.timeout): name
                   for name, given in jobs.items()}
        for done, future in enumerate(concurrent.futures.as_completed(running), 1):
            try:
                modules |= future.result()
                print(f"[{done}/{len(jobs)}] {running[future]}, {time.monotonic() - begun:.0f} s", flush=True)
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                print(error, file=sys.stderr)
                failed = True
    if failed:
        return 1

    sums, found = total(arguments.top, modules), instances(arguments.top, modules)
    modules = {name: m for name, m in modules.items() if found[name]}
    report = {"estimate": "Yosys, abc -lut 6, per module, no place and route; rules: tools/synth/README.md",
              "top": arguments.top,
              "modules": {readable(name, found[name]): {"count": len(found[name])} | {k: v for k, v in m.items() if k != "instances"}
                          for name, m in sorted(modules.items())},
              "total": sums}
    arguments.report.parent.mkdir(parents=True, exist_ok=True)
    arguments.report.write_text(json.dumps(report, indent=1) + "\n")
    print("Estimate (Yosys, abc -lut 6; no place and route):")
    print(table(modules, found, sums))
    print(f"written to {arguments.report}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
