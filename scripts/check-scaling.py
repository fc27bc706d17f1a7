"""Prints what a step between hosts takes and what was forecast: from the timings of the network's parts with as
many ranks at work on this machine, and from the sums of gradients between the hosts with nothing else to do.

    python scripts/check-scaling.py                                            prints the heading
    python scripts/check-scaling.py LKDIST FOLDER HOSTS RATE STEPS MPIRUN...   as scripts/check-scaling.sh does
"""
import json
import os
import pathlib
import subprocess
import sys

PATCH = [64, 64, 64]
MODEL = {"model.channels": 16, "model.scales": 5, "data.patchSize": PATCH}
BENCH = ["--patch", ",".join(map(str, PATCH)), "--inputs", "1", "--outputs", "3", "--channels", "16", "--scales",
         "5", "--threads", "1"]


def output(*words):
    run = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}: {run.stderr.strip()}")
    return run.stdout


def profile(program, folder, hosts):
    """What a rank computes in a step while all hosts' ranks are at work on this machine."""
    settings = [word for key, value in MODEL.items() for word in ("--set", f"{key}={value}")]
    plan = output(program, "plan", folder / "lkdist.yaml", "--json", "--quiet", "--ranks", hosts,
                  "--ranks-per-node", hosts, "--threads", 1, "--timings", folder, *settings)
    return json.loads(plan)["splits"][0]["profile"]


def main(program, folder, hosts, rate, steps, *mpirun):
    folder = pathlib.Path(folder)
    sums = folder / f"sums-{hosts}-{rate}"
    # No larger than the gradients, 40 MB: a full cable's queue must be as full as in a step.
    sums.write_text(output(*mpirun, program, "bench", "allreduce", "--sizes", "4m,40m", "--rounds", 3))
    network = {"name": rate, "measured": str(sums), "measuredRanksPerNode": 1}
    scaling = folder / "scaling.yaml"
    scaling.write_text(json.dumps({
        "steps": 1, "cores": min(1, os.cpu_count() / int(hosts)), "ranks": [int(hosts)], "compressions": ["none", "bf16"], "networks": [network],
        "patches": [profile(program, folder, hosts)]}))
    for point in json.loads(output(program, "simulate", scaling, "--json"))["points"]:
        compression = point["compression"]
        lines = output(*mpirun, program, "bench", "step", *BENCH, "--steps", steps, "--compression", compression)
        measured = json.loads(lines.splitlines()[-1])
        step, forecast = measured["step_s"], point["step_s"]
        exposed = step - measured["step_without_s"]
        print(f"{hosts:>5}  {rate:8} {compression:5}{step:9.2f}{forecast:9.2f}{100 * (forecast / step - 1):+7.0f}%"
              f"{exposed:10.2f}{point['allreduce_exposed_s']:9.2f}{measured['step_without_s']:11.2f}"
              f"{measured['allreduce_alone_s']:11.2f}", flush=True)


if len(sys.argv) == 1:
    print("hosts  cables   sums   step, s forecast     off exposed, s forecast  alone, s  sums alone, s")
else:
    main(*sys.argv[1:])
