"""The network and its losses in PyTorch: the twin that fixtures and speed ratios are made with.

Tensors are (N, C, D, H, W); the names in `state_dict()` are those of a checkpoint.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F


class Norm(nn.GroupNorm):
    def __init__(self, channels, slope):
        super().__init__(8, channels)
        self.slope = slope

    def forward(self, x):
        return F.leaky_relu(super().forward(x), self.slope)


class Block(nn.Module):
    def __init__(self, cin, cout, slope):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv3d(cin, cout, 3, padding=1), Norm(cout, slope)
        self.conv2, self.norm2 = nn.Conv3d(cout, cout, 3, padding=1), Norm(cout, slope)

    def forward(self, x):
        return self.norm2(self.conv2(self.norm1(self.conv1(x))))


class Attention(nn.Module):
    """u + sigmoid(pointwise(local(dilated(u)))) u."""
    def __init__(self, c, K, d):
        super().__init__()
        k = (K + d - 1) // d
        self.dilated = nn.Conv3d(c, c, k, padding=d * (k // 2), dilation=d, groups=c)
        self.local = nn.Conv3d(c, c, 2 * d - 1, padding=d - 1, groups=c)
        self.pointwise = nn.Conv3d(c, c, 1)

    def forward(self, u):
        return u + torch.sigmoid(self.pointwise(self.local(self.dilated(u)))) * u


class Up(nn.Module):
    def __init__(self, cin, cout, slope):
        super().__init__()
        self.up, self.upnorm = nn.ConvTranspose3d(cin, cout, 4, stride=2, padding=1), Norm(cout, slope)

    def forward(self, x):
        return self.upnorm(self.up(x))


class Stage(Up):
    def __init__(self, cin, c, attention, slope):
        super().__init__(cin, c, slope)
        self.attention = Attention(c, *attention) if attention else None
        self.block = Block(2 * c, c, slope)

    def forward(self, x, skip):
        u = super().forward(x)
        if self.attention is not None:
            u = self.attention(u)
        return self.block(torch.cat([u, skip], 1))


class Network(nn.Module):
    def __init__(self, inputs, outputs, channels, maximum, scales, attention, slope):
        super().__init__()
        c = [min(maximum, channels << s) for s in range(scales)]
        lk = {a[0]: a[1:] for a in attention}
        self.encoder = nn.ModuleList(Block(c[s] if s else inputs, c[s], slope) for s in range(scales))
        self.down = nn.ModuleList(
            nn.Conv3d(c[s], c[s + 1], 3, stride=2, padding=1) for s in range(scales - 1))
        self.decoder = nn.ModuleList(
            Stage(c[s + 1], c[s], lk.get(s), slope) for s in range(scales - 1))
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


# --- The losses

def strided(t, shape):
    a, b, c = (n // m for n, m in zip(t.shape[-3:], shape))
    return t[..., ::a, ::b, ::c]


def soft_dice(p, t):
    dims = (2, 3, 4)
    return 1 - (2 * (p * t).sum(dims) + 1e-5) / (p.sum(dims) + t.sum(dims) + 1e-5)


def head_loss(kind, z, target, mask):
    """One head; `mask` is 1 where a voxel counts."""
    count = mask.sum()
    if kind == "dice-bce":
        bce = F.binary_cross_entropy_with_logits(z, target, reduction="none")
        return (bce * mask).sum() / (count * z.shape[1]) \
            + soft_dice(torch.sigmoid(z) * mask, target * mask).mean()
    labels = torch.where(mask[:, 0] > 0, target, torch.zeros_like(target))
    onehot = F.one_hot(labels, z.shape[1]).permute(0, 4, 1, 2, 3).to(z.dtype) * mask
    dice = soft_dice(torch.softmax(z, 1) * mask, onehot)
    if kind == "weighted-dice":
        own = onehot.sum((2, 3, 4))
        weight = (1 - own / (count - own).clamp(min=1)).clamp(min=0)
        return (weight * dice).mean()
    entropy = -(F.log_softmax(z, 1) * onehot).sum() / count
    return entropy + dice[:, 1:].mean()


def loss_of(kind, logits, target, mask):
    weights = [0.5 ** s for s in range(len(logits))]
    return sum(w / sum(weights) * head_loss(kind, z, strided(target, z.shape[2:]), strided(mask, z.shape[2:]))
               for w, z in zip(weights, logits))
