"""Checkpoints of networks whose weights anybody can draw, for the checks of exports.

Value i of a parameter is ((7919 i + sum of its name's bytes) mod 257 - 128) / 512, and 1 more for the
weight of a norm: exact in single precision, so that a test in Swift has the same bits.
"""
import hashlib
import json
import os
import struct
import subprocess

import numpy as np

# name: channels of the image, of the logits, maximumChannels, scales, groups, attention, patch x, y, z
NETWORKS = {
    "tiny": (1, 2, 16, 2, 8, [{"scale": 0, "kernelSize": 6, "dilation": 2}], [6, 4, 8]),
    "none": (2, 3, 32, 3, 4, "none", [12, 8, 16]),
    "mid": (1, 3, 64, 4, 8, "mid", [16, 24, 32]),
    "cbam": (1, 2, 32, 3, 8, "cbam", [12, 8, 16]),
    "whole": (1, 2, 32, 3, 8, [
        {"scale": 0, "kernelSize": 4, "dilation": 1, "decomposed": False},
        {"scale": 1, "kernelSize": 5, "dilation": 1, "decomposed": False}], [12, 8, 16]),
    "full": (4, 3, 64, 5, 8, "full", [32, 16, 48])}


def placements(attention, scales):
    if attention == "none":
        return {}
    if attention == "mid":
        return {min(2, scales - 2): (21, 3)}
    if attention == "cbam":
        return {min(2, scales - 2): "cbam"}
    if attention == "full":
        return dict(enumerate([(21, 3), (21, 3), (15, 3), (6, 2), (6, 2)][:scales - 1]))
    return {a["scale"]: (a["kernelSize"], a["dilation"] if a.get("decomposed", True) else None) for a in attention}


def shapes(inputs, outputs, maximum, scales, groups, attention, patch):
    """The parameters in the order of a checkpoint."""
    c, found = [min(maximum, 16 << s) for s in range(scales)], {}

    def convolution(name, cin, cout, edge):
        found[f"{name}.weight"], found[f"{name}.bias"] = (cout, cin, edge, edge, edge), (cout,)

    def norm(name, channels):
        found[f"{name}.weight"], found[f"{name}.bias"] = (channels,), (channels,)

    def block(name, cin, cout):
        for i, channels in (1, cin), (2, cout):
            convolution(f"{name}.conv{i}", channels, cout, 3)
            norm(f"{name}.norm{i}", cout)

    for s in range(scales):
        if s:
            convolution(f"down.{s - 1}", c[s - 1], c[s], 3)
        block(f"encoder.{s}", c[s] if s else inputs, c[s])
    for s in reversed(range(scales - 1)):
        name = f"decoder.{s}"
        found[f"{name}.up.weight"], found[f"{name}.up.bias"] = (c[s + 1], c[s], 4, 4, 4), (c[s],)
        norm(f"{name}.upnorm", c[s])
        placement, a = placements(attention, scales).get(s), f"{name}.attention"
        if placement == "cbam":
            h = max(1, c[s] // 16)
            found[f"{a}.reduce.weight"], found[f"{a}.reduce.bias"] = (h, c[s]), (h,)
            found[f"{a}.expand.weight"], found[f"{a}.expand.bias"] = (c[s], h), (c[s],)
            convolution(f"{a}.spatial", 2, 1, 7)
        elif placement and placement[1] is None:
            convolution(f"{a}.full", c[s], c[s], placement[0])
        elif placement:
            K, d = placement
            convolution(f"{a}.dilated", 1, c[s], -(-K // d))
            convolution(f"{a}.local", 1, c[s], 2 * d - 1)
            convolution(f"{a}.pointwise", c[s], c[s], 1)
        block(f"{name}.block", 2 * c[s], c[s])
        if s < max(1, scales - 2):
            convolution(f"head.{s}", c[s], outputs, 1)
    return found


def values(name, shape):
    index = np.arange(int(np.prod(shape)), dtype=np.int64)
    drawn = ((7919 * index + sum(name.encode())) % 257 - 128) / 512
    return (drawn + ("norm" in name and name.endswith("weight"))).astype("<f4")


def write(path, name):
    """Writes the checkpoint of one of NETWORKS."""
    inputs, outputs, maximum, scales, groups, attention, patch = network = NETWORKS[name]
    tensors = {n: (shape, values(n, shape)) for n, shape in shapes(*network).items()}
    data = b"".join(v.tobytes() for _, v in tensors.values())
    model = {"attention": attention, "channels": 16, "maximumChannels": maximum, "scales": scales, "groups": groups}
    metadata = {
        "format": 1, "intensities": None, "sha256": hashlib.sha256(data).hexdigest(),
        "configuration": {"name": name, "data": {"patchSize": patch}, "model": model, "loss": {"kind": "dice-ce"}},
        "labels": [{"value": i, "name": f"label {i}"} for i in range(outputs)],
        "state": {"step": 3, "epoch": 1, "patchesInEpoch": 0, "patchesOfEpoch": 3, "updates": 3, "ranks": 1, "seed": 1}}
    header, offset = {"__metadata__": {k: json.dumps(v) for k, v in metadata.items()}}, 0
    for n, (shape, v) in tensors.items():
        header[n] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, offset + v.nbytes]}
        offset += v.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % 64)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def read(path):
    """The tensors of a safetensors file."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(length)), file.read()
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(data[slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"])
        for name, entry in header.items()}


def checkpoints(folder, given):
    """The paths of the given checkpoints, or of all NETWORKS, written into `folder`."""
    if given:
        return given
    paths = {name: os.path.join(folder, f"{name}.safetensors") for name in NETWORKS}
    for name, path in paths.items():
        write(path, name)
    return list(paths.values())


def lkdist(program, *words):
    subprocess.run([program, *words, "--quiet"], check=True)
