"""Prints the best step of lkdist and of the PyTorch twin in several forms, their ratios and peak memory.

    python scripts/bench-pytorch.py LKDIST PATCH THREADS STEPS [ATTENTION]      as scripts/bench-pytorch.sh does
"""
import json
import os
import resource
import subprocess
import sys

PEERS = {
    "PyTorch fp32": (False, False), "PyTorch fp32, channels last": (True, False),
    "PyTorch bf16 autocast": (False, True), "PyTorch bf16, channels last": (True, True)}


def lkdist_step(program, patch, threads, steps, attention):
    words = [program, "bench", "step", "--patch", patch, "--threads", threads, "--steps", steps,
             "--inputs", "4", "--outputs", "3", "--attention", attention]
    output = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    lines = [json.loads(line) for line in output.splitlines()]
    return min(line["step_s"] for line in lines), lines[-1]["peak_rss_bytes"] / 2**30


def torch_step(patch, threads, steps, attention, channels_last, bf16):
    """In this process, which a caller starts anew for each form: peak memory is the process's."""
    import torch

    from twin_step import TwinStep
    step = TwinStep(patch, threads, attention, channels_last, bf16)
    best = min(step.run() for _ in range(int(steps)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 2**30
    print(json.dumps([best, peak, torch.__version__]))


def measured_apart(words, name):
    run = subprocess.run([sys.executable, __file__, *words, name], capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"{name}: {run.stderr.strip().splitlines()[-1]}")
    return json.loads(run.stdout)


def main():
    program, patch, threads, steps, attention, *peer = (sys.argv[1:] + ["mid"])[:5] + sys.argv[6:]
    if peer:
        return torch_step(patch, threads, steps, attention, *PEERS[peer[0]])
    words = [program, patch, threads, steps, attention]
    wanted = os.environ.get("PEERS", "").split(";") if os.environ.get("PEERS") else PEERS
    ours = lkdist_step(*words)
    theirs = {name: measured_apart(words, name) for name in wanted}
    ours = min(ours, lkdist_step(*words))
    version = next(iter(theirs.values()))[2]
    print(f"training step, {attention}, patch {patch}, {threads} threads, torch {version}")
    print(f"  {'lkdist fp32':30} {ours[0]:7.2f} s {ours[1]:6.2f} GiB")
    for name, (seconds, peak, _) in theirs.items():
        print(f"  {name:30} {seconds:7.2f} s {peak:6.2f} GiB  {seconds / ours[0]:.2f} x")


main()
