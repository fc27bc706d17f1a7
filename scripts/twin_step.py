"""A training step of the PyTorch twin on random data, for the benchmarks."""
import contextlib
import time

import torch

from lkdist_torch import PLACEMENTS, Network
from lkunet_twin import loss_of

INPUTS, OUTPUTS = 4, 3


class TwinStep:
    def __init__(self, patch, threads, attention, channels_last=False, bf16=False, wrap=lambda network: network):
        torch.set_num_threads(int(threads))
        torch.manual_seed(0)
        form = torch.channels_last_3d if channels_last else torch.contiguous_format
        extent = [int(n) for n in reversed(patch.split(","))]
        network = Network(INPUTS, OUTPUTS, attention=PLACEMENTS[attention](6)).to(memory_format=form)
        self.network = wrap(network)
        self.image = torch.randn(1, INPUTS, *extent).to(memory_format=form)
        self.regions = (torch.rand(1, OUTPUTS, *extent) > 0.8).float()
        self.mask = torch.ones(1, 1, *extent)
        self.adam = torch.optim.Adam(network.parameters(), lr=3e-4)
        self.bf16 = bf16

    def run(self):
        """Takes a step and returns its seconds."""
        start = time.monotonic()
        self.adam.zero_grad()
        with torch.autocast("cpu", torch.bfloat16) if self.bf16 else contextlib.nullcontext():
            logits = self.network(self.image)
        loss_of("dice-bce", [z.float() for z in logits], self.regions, self.mask).backward()
        self.adam.step()
        return time.monotonic() - start
