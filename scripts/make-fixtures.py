#!/usr/bin/env python3
"""Writes Tests/NNTests/Fixtures: what a PyTorch twin of the network computes in double precision.

    /usr/bin/python3 scripts/make-fixtures.py

Inputs and weights are not stored: both sides draw them from `uniform(name)`, an integer hash whose
values are exact in single precision. A fixture is a safetensors file; a tensor of dtype I16 holds
round(value / step), `step` being in the metadata, and one whose name is in `samples` holds every
`samples[name]`-th value only. Tensors are (C, D, H, W), weights in PyTorch's layouts.
"""
import json
import os
import struct

import numpy as np
import torch
import torch.nn as nn

from lkdist_torch import CBAM, Attention, Block, Network, Up, WholeAttention
from lkunet_twin import loss_of

FOLDER = os.path.join(os.path.dirname(__file__), "..", "Tests", "NNTests", "Fixtures")
torch.set_default_dtype(torch.float64)


# --- Numbers both sides can draw

def bits(name, count):
    """FNV-1a of the name seeds a 32-bit mix of the index."""
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x01000193) & 0xFFFFFFFF
    h = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(seed)
    h = (h ^ (h >> np.uint32(16))) * np.uint32(0x7FEB352D)
    h = (h ^ (h >> np.uint32(15))) * np.uint32(0x846CA68B)
    return h ^ (h >> np.uint32(16))


def uniform(name, shape, scale=1.0, shift=0.0):
    """shift + scale * u, u uniform in [-1, 1), rounded to single precision."""
    u = (bits(name, int(np.prod(shape))) >> np.uint32(8)).astype(np.float64) / (1 << 23) - 1
    return torch.from_numpy((shift + scale * u).astype(np.float32).astype(np.float64).reshape(shape))


def integers(name, shape, below):
    return torch.from_numpy((bits(name, int(np.prod(shape))) % below).astype(np.int64).reshape(shape))


def set_parameters(module, case):
    """Weights of He's variance, biases near 0, norm weights near 1."""
    with torch.no_grad():
        for name, p in module.named_parameters():
            if p.dim() == 5:
                fan = 8 * p.shape[0] if is_transposed(name) else p[0].numel()
                p.copy_(uniform(f"{case}/{name}", p.shape, float(np.sqrt(6 / fan))))
            elif "norm" in name and name.endswith("weight"):
                p.copy_(uniform(f"{case}/{name}", p.shape, 0.2, 1.0))
            else:
                p.copy_(uniform(f"{case}/{name}", p.shape, 0.1))


def is_transposed(name):
    return name.startswith("up.") or ".up." in name


# --- Targets

def target_of(case, kind, outputs, extent, ignore):
    """Labels in 0..<outputs (or `outputs` meaning ignore), or random regions; and the mask."""
    if kind == "dice-bce":
        regions = (integers(f"{case}/target", (1, outputs, *extent), 4) == 0).double()
        ignored = integers(f"{case}/ignored", (1, 1, *extent), 8) == 0
        return regions, (~ignored).double() if ignore else torch.ones(1, 1, *extent)
    labels = integers(f"{case}/target", (1, *extent), outputs + 1 if ignore else outputs)
    return labels, (labels != outputs).double()[:, None]


# --- Files

class Fixture:
    def __init__(self, name, **meta):
        self.name, self.meta, self.tensors = name, dict(meta, steps={}, samples={}), {}

    def add(self, name, tensor, limit=None):
        """In single precision; with `limit`, 16-bit steps and at most about that many samples."""
        a = tensor.detach().numpy().reshape(-1)
        if limit is None:
            self.tensors[name] = ("F32", a.astype("<f4"))
            return
        if a.size > limit:
            every = a.size // limit | 1
            while a.size % every == 0 or every % 3 == 0:  # Not in step with any axis.
                every += 2
            self.meta["samples"][name] = every
            a = a[::every]
        step = float(np.abs(a).max()) / 32767 or 1.0
        self.meta["steps"][name] = step
        self.tensors[name] = ("I16", np.round(a / step).astype("<i2"))

    def write(self):
        header, offset = {"__metadata__": {"fixture": json.dumps(self.meta)}}, 0
        for name, (dtype, a) in self.tensors.items():
            header[name] = {"dtype": dtype, "shape": [a.size], "data_offsets": [offset, offset + a.nbytes]}
            offset += a.nbytes
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        path = os.path.join(FOLDER, self.name + ".safetensors")
        with open(path, "wb") as f:
            f.write(struct.pack("<Q", len(text)) + text)
            for _, a in self.tensors.values():
                f.write(a.tobytes())
        print(f"{self.name}: {os.path.getsize(path)} bytes")


# --- Cases

def layer(name, module, shape, **meta):
    """Output, input gradient and parameter gradients of one module."""
    set_parameters(module, name)
    x = uniform(f"{name}/input", (1, *shape)).requires_grad_()
    y = module(x)
    y.backward(uniform(f"{name}/outputGradient", y.shape))
    f = Fixture(name, input=list(shape), output=list(y.shape[1:]),
                parameters=[[n, list(p.shape)] for n, p in module.named_parameters()], **meta)
    f.add("output", y)
    f.add("inputGradient", x.grad)
    for n, p in module.named_parameters():
        f.add(n, p.grad)
    f.write()


def losses(name, kind, outputs, extents, ignore):
    logits = [uniform(f"{name}/logits{i}", (1, outputs, *e), 3.0).requires_grad_()
              for i, e in enumerate(extents)]
    target, mask = target_of(name, kind, outputs, extents[0], ignore)
    loss = loss_of(kind, logits, target, mask)
    loss.backward()
    f = Fixture(name, kind=kind, outputs=outputs, extents=extents, ignore=ignore, loss=loss.item())
    for i, z in enumerate(logits):
        f.add(f"logits{i}", z.grad)
    f.write()


def placements(attention):
    """By scale, of [scale, K, d]: K = 0 is CBAM and d = 0 a kernel that is not decomposed."""
    return {s: (K, d or None) if K else "cbam" for s, K, d in attention}


def network(name, attention, scales, kind, extent, slope, inputs=2, outputs=3, maximum=32,
            ignore=False, limit=1 << 20, steps=0):
    """A whole network: logits (slope 1 only), loss, every parameter's gradient, losses under Adam."""
    net = Network(inputs, outputs, 16, maximum, scales, placements(attention), slope)
    set_parameters(net, name)
    x = uniform(f"{name}/image", (1, inputs, *extent), 1.7)
    target, mask = target_of(name, kind, outputs, extent, ignore)
    logits = net(x)
    loss = loss_of(kind, logits, target, mask)
    loss.backward()
    f = Fixture(name, attention=attention, scales=scales, kind=kind, extent=extent, slope=slope,
                inputs=inputs, outputs=outputs, channels=16, maximumChannels=maximum, ignore=ignore,
                loss=loss.item(), learningRate=1e-3)
    if slope == 1:
        for i, z in enumerate(logits):
            f.add(f"logits{i}", z, limit)
    for n, p in net.named_parameters():
        f.add(n, p.grad, limit)
    adam, curve = torch.optim.Adam(net.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-8), []
    for _ in range(steps):
        loss = loss_of(kind, net(x), target, mask)
        curve.append(loss.item())
        adam.zero_grad()
        loss.backward()
        adam.step()
    f.meta["losses"] = curve
    f.write()


def adam_case():
    """Five updates of a few values, with weight decay."""
    p = nn.Parameter(uniform("adam/values", (1003,)))
    adam = torch.optim.Adam([p], lr=1e-2, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1)
    for step in range(5):
        p.grad = uniform(f"adam/gradient{step}", (1003,), 0.1)
        adam.step()
    f = Fixture("adam", learningRate=1e-2, weightDecay=0.1)
    f.add("values", p)
    f.add("first", adam.state[p]["exp_avg"])
    f.add("second", adam.state[p]["exp_avg_sq"])
    f.write()


def main():
    os.makedirs(FOLDER, exist_ok=True)
    layer("block", Block(32, 16, 0.01), (32, 5, 6, 7), kind="block", parts=[16, 16])
    layer("first-block", Block(3, 16, 0.01), (3, 6, 5, 9), kind="first-block")
    layer("stride-2", Named(down=nn.Conv3d(16, 32, 3, stride=2, padding=1)), (16, 6, 4, 8), kind="down")
    layer("raise", Up(32, 16, 0.01), (32, 3, 4, 2), kind="up")
    layer("attention-21-3", Attention(16, 21, 3), (16, 8, 6, 9), kind="attention", kernel=[21, 3])
    layer("attention-6-2", Attention(16, 6, 2), (16, 4, 5, 7), kind="attention", kernel=[6, 2])
    for K in 5, 4:
        layer(f"whole-{K}", WholeAttention(16, K), (16, 5, 4, 7), kind="whole", kernel=[K, 0])
    layer("cbam", CBAM(32), (32, 8, 7, 9), kind="cbam")
    layer("head", Named(head=nn.Conv3d(16, 3, 1)), (16, 3, 5, 6), kind="head")
    for kind in ["dice-bce", "weighted-dice", "dice-ce"]:
        losses(f"loss-{kind}", kind, 3, [[8, 12, 4], [4, 6, 2]], False)
        losses(f"loss-{kind}-ignore", kind, 4, [[8, 8, 12], [4, 4, 6], [2, 2, 3]], True)
    adam_case()
    mid3, mid4 = [[1, 21, 3]], [[2, 21, 3]]
    full4 = [[0, 21, 3], [1, 21, 3], [2, 15, 3]]
    network("linear-none-2", [], 2, "dice-bce", [8, 12, 10], 1, inputs=1, outputs=2)
    network("linear-mid-3", mid3, 3, "dice-ce", [8, 16, 12], 1, ignore=True, maximum=16)
    network("linear-full-4", full4, 4, "weighted-dice", [24, 16, 40], 1, inputs=4, limit=16384)
    network("linear-mid-4", mid4, 4, "dice-bce", [40, 24, 32], 1, limit=8192)
    kinds = [[0, 0, 0], [1, 4, 0], [2, 6, 2]]
    network("linear-kinds-4", kinds, 4, "dice-ce", [24, 16, 8], 1, inputs=1, limit=4096)
    network("leaky-none-4", [], 4, "dice-ce", [16, 24, 8], 0.01, inputs=1, limit=2048, steps=10)
    network("leaky-mid-4", mid4, 4, "dice-bce", [16, 16, 24], 0.01, inputs=4, limit=2048, steps=10)
    network("leaky-full-3", full4[:2], 3, "weighted-dice", [16, 8, 24], 0.01, limit=2048, steps=10)


class Named(nn.Module):
    """One layer under the name it has in the network."""
    def __init__(self, **children):
        super().__init__()
        for name, child in children.items():
            self.add_module(name, child)

    def forward(self, x):
        return next(self.children())(x)


if __name__ == "__main__":
    main()
