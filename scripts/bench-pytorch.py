"""Prints the best step of lkdist and of the PyTorch twin in several forms, their ratios and peak memory.

    python scripts/bench-pytorch.py LKDIST PATCH THREADS STEPS [ATTENTION]      as scripts/bench-pytorch.sh does
"""
import contextlib
import json
import os
import resource
import subprocess
import sys
import time

INPUTS, OUTPUTS = 4, 3
ATTENTION = {"mid": [(2, 21, 3)], "full": [(0, 21, 3), (1, 21, 3), (2, 15, 3), (3, 6, 2), (4, 6, 2)]}
PEERS = {
    "PyTorch fp32": (False, False), "PyTorch fp32, channels last": (True, False),
    "PyTorch bf16 autocast": (False, True), "PyTorch bf16, channels last": (True, True)}


def lkdist_step(program, patch, threads, steps, attention):
    words = [program, "bench", "step", "--patch", patch, "--threads", threads, "--steps", steps,
             "--inputs", str(INPUTS), "--outputs", str(OUTPUTS), "--attention", attention]
    output = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    lines = [json.loads(line) for line in output.splitlines()]
    return min(line["step_s"] for line in lines), lines[-1]["peak_rss_bytes"] / 2**30


def torch_step(patch, threads, steps, attention, channels_last, bf16):
    """In this process, which a caller starts anew for each form: peak memory is the process's."""
    import torch

    from lkunet_twin import Network, loss_of
    torch.set_num_threads(int(threads))
    torch.manual_seed(0)
    form = torch.channels_last_3d if channels_last else torch.contiguous_format
    extent = [int(n) for n in reversed(patch.split(","))]
    network = Network(INPUTS, OUTPUTS, 32, 512, 6, ATTENTION[attention], 0.01).to(memory_format=form)
    image = torch.randn(1, INPUTS, *extent).to(memory_format=form)
    regions = (torch.rand(1, OUTPUTS, *extent) > 0.8).float()
    mask = torch.ones(1, 1, *extent)
    adam = torch.optim.Adam(network.parameters(), lr=3e-4)
    cast = torch.autocast("cpu", torch.bfloat16) if bf16 else contextlib.nullcontext()
    best = float("inf")
    for _ in range(int(steps)):
        start = time.monotonic()
        adam.zero_grad()
        with cast:
            logits = network(image)
        loss_of("dice-bce", [z.float() for z in logits], regions, mask).backward()
        adam.step()
        best = min(best, time.monotonic() - start)
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
