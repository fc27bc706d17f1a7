#!/usr/bin/env python3
"""lkdist's network in PyTorch: loads a checkpoint, to predict or to train on; saves weights again.

    network, metadata = load("best.safetensors")    # the network in eval mode; what lkdist wrote
    logits = network(image)[0]                      # (N, O, D, H, W) of the finest head
    save(network, "tuned.safetensors")              # lkdist import tuned.safetensors --like ...

It needs PyTorch alone, and stands alone: copy it where you want. Tensors are (N, C, D, H, W) with
D, H, W = z, y, x of the prepared image, multiples of 2^(scales-1). As a program it is the example
for MONAI's sliding window; IMAGE is one of lkdist's prepared volumes (the run's `prepared` folder):

    pip install torch monai nibabel
    python3 lkdist_torch.py CHECKPOINT IMAGE.nii OUTPUT.nii.gz

SPDX-License-Identifier: Apache-2.0
"""
import json
import struct
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

SLOPE = 0.01
PLACEMENTS = {
    "none": lambda scales: {},
    "mid": lambda scales: {min(2, scales - 2): (21, 3)},
    "cbam": lambda scales: {min(2, scales - 2): "cbam"},
    "full": lambda scales: dict(enumerate([(21, 3), (21, 3), (15, 3), (6, 2), (6, 2)][:scales - 1]))}


class Norm(nn.GroupNorm):
    """Group norm, then leaky ReLU."""
    def __init__(self, channels, slope=SLOPE, groups=8):
        super().__init__(groups, channels)
        self.slope = slope

    def forward(self, x):
        return F.leaky_relu(super().forward(x), self.slope)


class Block(nn.Module):
    def __init__(self, cin, cout, slope=SLOPE, groups=8):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv3d(cin, cout, 3, padding=1), Norm(cout, slope, groups)
        self.conv2, self.norm2 = nn.Conv3d(cout, cout, 3, padding=1), Norm(cout, slope, groups)

    def forward(self, x):
        return self.norm2(self.conv2(self.norm1(self.conv1(x))))


class Attention(nn.Module):
    """u + A u, where A = sigmoid(pointwise(local(dilated(u)))) is kept as `map` where `keeps` says so."""
    def __init__(self, c, K, d):
        super().__init__()
        k = (K + d - 1) // d
        self.dilated = nn.Conv3d(c, c, k, padding=d * (k // 2), dilation=d, groups=c)
        self.local = nn.Conv3d(c, c, 2 * d - 1, padding=d - 1, groups=c)
        self.pointwise = nn.Conv3d(c, c, 1)
        self.keeps, self.map = False, None

    def forward(self, u):
        attention = torch.sigmoid(self.pointwise(self.local(self.dilated(u))))
        self.map = attention if self.keeps else None
        return u + attention * u


class WholeAttention(nn.Module):
    """The same gate with one K^3 convolution: zero padding (K - 1) // 2 before, K // 2 after."""
    def __init__(self, c, K):
        super().__init__()
        self.padding, self.full = [(K - 1) // 2, K // 2] * 3, nn.Conv3d(c, c, K)
        self.keeps, self.map = False, None

    def forward(self, u):
        attention = torch.sigmoid(self.full(F.pad(u, self.padding)))
        self.map = attention if self.keeps else None
        return u + attention * u


class CBAM(nn.Module):
    """A gate for every channel (shared perceptron, ratio 16), then one for every voxel (Woo et al. 2018)."""
    def __init__(self, c):
        super().__init__()
        h = max(1, c // 16)
        self.reduce, self.expand = nn.Linear(c, h), nn.Linear(h, c)
        self.spatial = nn.Conv3d(2, 1, 7, padding=3)

    def perceptron(self, v):
        return self.expand(F.relu(self.reduce(v)))

    def forward(self, u):
        gate = self.perceptron(u.mean((2, 3, 4))) + self.perceptron(u.amax((2, 3, 4)))
        u = u * torch.sigmoid(gate)[:, :, None, None, None]
        peaks = torch.cat([u.mean(1, keepdim=True), u.amax(1, keepdim=True)], 1)
        return u * torch.sigmoid(self.spatial(peaks))


def attention_module(c, placement):
    """Of (K, d), of (K, None) for a kernel that is not decomposed, or of "cbam"."""
    if not placement:
        return None
    if placement == "cbam":
        return CBAM(c)
    return WholeAttention(c, placement[0]) if placement[1] is None else Attention(c, *placement)


class Up(nn.Module):
    def __init__(self, cin, cout, slope=SLOPE, groups=8):
        super().__init__()
        self.up = nn.ConvTranspose3d(cin, cout, 4, stride=2, padding=1)
        self.upnorm = Norm(cout, slope, groups)

    def forward(self, x):
        return self.upnorm(self.up(x))


class Stage(Up):
    def __init__(self, cin, c, attention, slope=SLOPE, groups=8):
        super().__init__(cin, c, slope, groups)
        self.attention = attention_module(c, attention)
        self.block = Block(2 * c, c, slope, groups)

    def forward(self, x, skip):
        u = super().forward(x)
        if self.attention is not None:
            u = self.attention(u)
        return self.block(torch.cat([u, skip], 1))


class Network(nn.Module):
    """The logits of every head, finest first; `attention` is {decoder scale: as in attention_module}."""
    def __init__(self, inputs, outputs, channels=32, maximum=512, scales=6, attention=None, slope=SLOPE, groups=8):
        super().__init__()
        c = [min(maximum, channels << s) for s in range(scales)]
        lk = PLACEMENTS["mid"](scales) if attention is None else attention
        self.encoder = nn.ModuleList(
            Block(c[s] if s else inputs, c[s], slope, groups) for s in range(scales))
        self.down = nn.ModuleList(
            nn.Conv3d(c[s], c[s + 1], 3, stride=2, padding=1) for s in range(scales - 1))
        self.decoder = nn.ModuleList(
            Stage(c[s + 1], c[s], lk.get(s), slope, groups) for s in range(scales - 1))
        self.head = nn.ModuleList(nn.Conv3d(c[s], outputs, 1) for s in range(max(1, scales - 2)))

    def forward(self, x):
        skips = []
        for s, block in enumerate(self.encoder):
            x = block(self.down[s - 1](x) if s else x)
            skips.append(x)
        logits = [None] * len(self.head)
        for s in reversed(range(len(self.decoder))):
            x = self.decoder[s](x, skips[s])
            if s < len(self.head):
                logits[s] = self.head[s](x)
        return logits


# --- Checkpoints: safetensors files, read and written by the format's definition

def read(path):
    """The tensors of a file, and its metadata, which lkdist writes as JSON."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(length)), bytearray(file.read())
    metadata = {key: json.loads(text) for key, text in header.pop("__metadata__", {}).items()}
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        if entry["dtype"] != "F32":
            raise ValueError(f"{path}: {name} is {entry['dtype']}, not F32")
        flat = torch.frombuffer(data, dtype=torch.float32, offset=begin, count=(end - begin) // 4)
        tensors[name] = flat.reshape(entry["shape"])
    return tensors, metadata


def load(path):
    """The network of a checkpoint in eval mode, and the checkpoint's metadata."""
    tensors, metadata = read(path)
    if "configuration" not in metadata:
        raise ValueError(f"{path} does not say how it was trained; make a Network and load_state_dict")
    weights = {name: t for name, t in tensors.items() if not name.startswith("optimizer.")}
    model = metadata["configuration"]["model"]
    attention, scales = model["attention"], model["scales"]
    if isinstance(attention, str):
        placements = PLACEMENTS[attention](scales)
    else:
        placements = {
            a["scale"]: (a["kernelSize"], a["dilation"] if a.get("decomposed", True) else None) for a in attention}
    network = Network(
        weights["encoder.0.conv1.weight"].shape[1], weights["head.0.weight"].shape[0], model["channels"],
        model["maximumChannels"], scales, placements, groups=model["groups"])
    network.load_state_dict(weights)
    return network.eval(), metadata


def save(network, path):
    """Writes the weights for `lkdist import`; safetensors.torch.save_file does the same."""
    header, offset, parts = {}, 0, []
    for name, tensor in network.state_dict().items():
        part = tensor.detach().cpu().float().contiguous().numpy().astype("<f4").tobytes()
        header[name] = {
            "dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + len(part)]}
        offset += len(part)
        parts.append(part)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


# --- The example: MONAI's sliding window, as lkdist predict does it

def segment(network, metadata, image, overlap=0.5):
    """Probabilities (1, O, D, H, W) of a prepared image (1, I, D, H, W) of any size."""
    from monai.inferers import sliding_window_inference
    configuration = metadata["configuration"]
    patch = configuration["data"]["patchSize"][::-1]
    with torch.no_grad():
        logits = sliding_window_inference(
            image, patch, 1, lambda window: network(window)[0], overlap=overlap, mode="gaussian")
    regions = configuration["loss"]["kind"] == "dice-bce"
    return torch.sigmoid(logits) if regions else torch.softmax(logits, 1)


def main(checkpoint, source, target):
    import nibabel
    import numpy
    network, metadata = load(checkpoint)
    file = nibabel.load(source)
    voxels = file.get_fdata(dtype=numpy.float32)
    voxels = voxels.reshape(*voxels.shape[:3], -1).transpose(3, 2, 1, 0)
    probabilities = segment(network, metadata, torch.from_numpy(voxels.copy())[None])[0]
    nibabel.save(nibabel.Nifti1Image(probabilities.numpy().transpose(3, 2, 1, 0), file.affine), target)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
