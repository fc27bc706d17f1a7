#!/usr/bin/env python3
"""Loads checkpoints with lkdist_torch.py and compares with lkdist's own forward pass; and back.

    python3 scripts/check-torch.py .build/release/lkdist [CHECKPOINT...]     needs torch and numpy

Without CHECKPOINTs, networks with drawn weights. Logits and attention must be within 1e-4 of those of
`lkdist export --sample`; weights that PyTorch has changed and saved must come back through
`lkdist import` bit for bit. Where MONAI is installed, its sliding window must give the same too.
"""
import os
import sys
import tempfile

import numpy as np
import torch

import drawn_network
import lkdist_torch


def difference(name, found, expected):
    worst = np.abs(found.numpy() - expected).max()
    print(f"{name} {tuple(found.shape)}: |x| <= {np.abs(expected).max():.3f}, difference {worst:.1e}")
    assert found.shape == expected.shape and worst <= 1e-4


def check_forward(program, checkpoint, folder):
    sample = os.path.join(folder, "sample")
    drawn_network.lkdist(program, "export", checkpoint, "--sample", sample, "--overwrite")
    expected = drawn_network.read(sample)
    network, metadata = lkdist_torch.load(checkpoint)
    stages = {s: stage.attention for s, stage in enumerate(network.decoder) if hasattr(stage.attention, "keeps")}
    for attention in stages.values():
        attention.keeps = True
    image = torch.from_numpy(expected["image"].copy())
    with torch.no_grad():
        logits = network(image)[0]
    difference("logits", logits, expected["logits"])
    for scale, attention in stages.items():
        difference(f"attention_{scale}", attention.map, expected[f"attention_{scale}"])
    try:
        probabilities = lkdist_torch.segment(network, metadata, image)
    except ImportError:
        return print("MONAI is not installed; its sliding window is not tried")
    regions = metadata["configuration"]["loss"]["kind"] == "dice-bce"
    own = torch.sigmoid(logits) if regions else torch.softmax(logits, 1)
    difference("MONAI's window", probabilities, own.numpy())


def check_import(program, checkpoint, folder):
    network, _ = lkdist_torch.load(checkpoint)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter))
    weights, back = os.path.join(folder, "weights"), os.path.join(folder, "back")
    lkdist_torch.save(network, weights)
    drawn_network.lkdist(program, "import", weights, "--like", checkpoint, "-o", back, "--overwrite")
    loaded, _ = lkdist_torch.load(back)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[name]), f"{name} came back otherwise"
    print("imported weights have the same bits")


def main(program, *given):
    with tempfile.TemporaryDirectory() as folder:
        for path in drawn_network.checkpoints(folder, given):
            print(path)
            check_forward(program, path, folder)
            check_import(program, path, folder)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])
