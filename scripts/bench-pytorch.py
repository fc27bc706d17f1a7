"""Prints the best step of lkdist and of the PyTorch twin, fp32, and their ratio.

    python scripts/bench-pytorch.py LKDIST PATCH THREADS STEPS      as scripts/bench-pytorch.sh does
"""
import json
import subprocess
import sys
import time

import torch

from lkunet_twin import Network, loss_of

INPUTS, OUTPUTS = 4, 3


def lkdist_step(program, patch, threads, steps):
    words = [program, "bench", "step", "--patch", patch, "--threads", threads, "--steps", steps,
             "--inputs", str(INPUTS), "--outputs", str(OUTPUTS)]
    output = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    return min(json.loads(line)["step_s"] for line in output.splitlines())


def torch_step(patch, threads, steps, memory_format):
    torch.set_num_threads(int(threads))
    torch.manual_seed(0)
    extent = [int(n) for n in reversed(patch.split(","))]
    network = Network(INPUTS, OUTPUTS, 32, 512, 6, [(2, 21, 3)], 0.01).to(memory_format=memory_format)
    image = torch.randn(1, INPUTS, *extent).to(memory_format=memory_format)
    regions = (torch.rand(1, OUTPUTS, *extent) > 0.8).float()
    mask = torch.ones(1, 1, *extent)
    adam = torch.optim.Adam(network.parameters(), lr=3e-4)
    best = float("inf")
    for _ in range(int(steps)):
        start = time.monotonic()
        adam.zero_grad()
        loss_of("dice-bce", network(image), regions, mask).backward()
        adam.step()
        best = min(best, time.monotonic() - start)
    return best


def main():
    program, patch, threads, steps = sys.argv[1:]
    peers = {"PyTorch fp32": torch.contiguous_format,
             "PyTorch fp32, channels last": torch.channels_last_3d}
    ours = lkdist_step(program, patch, threads, steps)
    theirs = {name: torch_step(patch, threads, steps, form) for name, form in peers.items()}
    ours = min(ours, lkdist_step(program, patch, threads, steps))
    print(f"training step, Mid, patch {patch}, {threads} threads, torch {torch.__version__}")
    print(f"  {'lkdist fp32':30} {ours:7.2f} s")
    for name, seconds in theirs.items():
        print(f"  {name:30} {seconds:7.2f} s   {seconds / ours:.2f} x")


main()
