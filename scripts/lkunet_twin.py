"""The losses in PyTorch, for the network of lkdist_torch.py: the twin that fixtures and speed ratios
are made with.

Tensors are (N, C, D, H, W).
"""
import torch
import torch.nn.functional as F


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
