#!/usr/bin/python3
"""Writes the fixtures of the metric and sliding-window tests (needs numpy and scipy).

    scripts/make-metric-fixtures.py [Tests/ImagingTests/Fixtures/metrics]
    scripts/make-metric-fixtures.py --tools     prints what other tools make of the same maps

metrics.json: label maps as strings of digits, x fastest, with all measures per class from
scipy.ndimage. paired.json: paired tests by scipy.stats. windows.json: window starts and weights by
the rules of MONAI's dense_patch_slices and compute_importance_map, restated here.
--tools needs the package surface-distance, and takes monai and torch where they are installed.
"""

import json
import math
import pathlib
import sys

import numpy as np
from scipy import ndimage, spatial, stats

CROSS = ndimage.generate_binary_structure(3, 1)
CUBE = ndimage.generate_binary_structure(3, 3)
TOLERANCES = [0.0, 1.0, 2.5]


def surface(mask):
    return mask & ~ndimage.binary_erosion(mask, CROSS, border_value=0)


def dice(x, y):
    total = x.sum() + y.sum()
    return 1.0 if total == 0 else float(2 * (x & y).sum() / total)


def surface_distances(x, y, spacing):
    """Distances in mm from the surface of x to that of y, and back; spacing is z, y, x."""
    x, y = surface(x), surface(y)
    directed = []
    for a, b in ((x, y), (y, x)):
        distance = ndimage.distance_transform_edt(~b, sampling=spacing)[a]
        # MONAI's way on processors: the nearest neighbor in a tree of surface voxels.
        tree = spatial.KDTree(np.argwhere(b) * np.array(spacing, float))
        nearest = tree.query(np.argwhere(a) * np.array(spacing, float))[0]
        assert np.allclose(distance, nearest, rtol=0, atol=1e-9)
        directed.append(distance)
    return directed


def hd95(x, y, spacing):
    """Spacing and shape are z, y, x."""
    if not x.any() and not y.any():
        return 0.0
    if not x.any() or not y.any():
        return math.sqrt(sum((n * s) ** 2 for n, s in zip(x.shape, spacing)))
    return float(max(np.percentile(d, 95) for d in surface_distances(x, y, spacing)))


def nsd(x, y, spacing, tolerance):
    """MONAI's compute_surface_dice without subvoxels; 1 where both are empty."""
    if not x.any() or not y.any():
        return float(x.any() == y.any())
    distances = np.concatenate(surface_distances(x, y, spacing))
    return float(np.mean(distances <= tolerance + 1e-9))


def lesions(x, y):
    """Lesion-wise Dice (BraTS 2023's, without dilation) and F1 (ISLES 2022's); y is the reference."""
    predicted, count = ndimage.label(x, CUBE)
    reference, total = ndimage.label(y, CUBE)
    found, overlaps = 0, []
    for lesion in range(1, total + 1):
        touching = [label for label in np.unique(predicted[reference == lesion]) if label]
        found += len(touching) > 0
        overlaps.append(dice(np.isin(predicted, touching), reference == lesion))
    wrong = sum(not y[predicted == label].any() for label in range(1, count + 1))
    if total + wrong == 0:
        return 1.0, 1.0
    missed = total - found
    return (float(sum(overlaps) / (total + wrong)),
            float(2 * found / (2 * found + wrong + missed)))


def volume_difference(x, y, spacing):
    """In ml."""
    return float((int(x.sum()) - int(y.sum())) * np.prod(spacing) / 1000)


def ball(shape, center, radius):
    grid = np.indices(shape)
    return sum((g - c) ** 2 for g, c in zip(grid, center)) <= radius**2


def smooth(random, shape, labels):
    """A label map of smooth random regions."""
    fields = [ndimage.gaussian_filter(random.standard_normal(shape), 2) for _ in range(labels)]
    return np.argmax(np.stack(fields), axis=0)


def cases():
    random = np.random.default_rng(7)
    zeros = np.zeros((9, 12, 10), int)

    def one(*voxels):
        mask = zeros.copy()
        for voxel in voxels:
            mask[voxel] = 1
        return mask

    noise = (random.random((2, 11, 13, 17)) < 0.2).astype(int)
    dense = (random.random((2, 8, 9, 10)) < 0.9).astype(int)
    sparse = (random.random((2, 14, 10, 16)) < 0.004).astype(int)
    yield "noise", (1, 1, 1), noise[0], noise[1]
    yield "noise, anisotropic", (3.0, 0.7, 1.25), noise[0], noise[1]
    yield "dense", (1.5, 1, 1), dense[0], dense[1]
    yield "sparse", (0.9, 2.5, 1.1), sparse[0], sparse[1]
    yield "identical", (1, 1, 1), noise[0], noise[0]
    yield "both empty", (1, 2, 3), zeros, zeros
    yield "no prediction", (1, 2, 3), zeros, one((4, 5, 6))
    yield "no reference", (2.5, 0.5, 0.75), one((4, 5, 6)), zeros
    yield "single voxels", (2, 1.5, 0.5), one((1, 2, 3)), one((7, 9, 4))
    yield "opposite corners", (1, 1, 1), one((0, 0, 0)), one((8, 11, 9))
    yield "everything and one voxel", (1, 1, 2), zeros + 1, one((4, 6, 5))
    left, right = zeros.copy(), zeros.copy()
    left[2:7, 2:9, 1:5] = 1
    right[2:7, 2:9, 5:9] = 1
    yield "touching boxes", (1, 1, 1.2), left, right
    big = ball((20, 22, 24), (10, 11, 12), 8).astype(int)
    outlier = ball((20, 22, 24), (11, 10, 13), 7).astype(int)
    outlier[0, 0, 0] = 1
    yield "balls and an outlier", (1, 1, 1), big, outlier
    yield "a ball in a ball", (1.2, 0.8, 1), big, ball(big.shape, (10, 11, 12), 4).astype(int)
    yield "flat image", (5, 0.9, 0.9), noise[0][:1], noise[1][:1]
    yield "line", (1, 1, 0.3), noise[0][:1, :1], noise[1][:1, :1]
    shape = (18, 20, 22)
    yield "three classes", (1, 1, 1), smooth(random, shape, 4), smooth(random, shape, 4)
    reference = smooth(random, shape, 4)
    shifted = np.roll(reference, (1, -1, 2), axis=(0, 1, 2))
    yield "three classes, shifted", (2.0, 0.6, 0.6), shifted, reference


def metric_fixture():
    out = []
    for name, spacing, prediction, reference in cases():
        scores = {}
        for label in range(1, max(2, prediction.max() + 1, reference.max() + 1)):
            x, y = prediction == label, reference == label
            lesion_dice, lesion_f1 = lesions(x, y)
            scores[str(label)] = {
                "dice": dice(x, y), "hd95": hd95(x, y, spacing),
                "nsd": [nsd(x, y, spacing, tolerance) for tolerance in TOLERANCES],
                "volume_difference": volume_difference(x, y, spacing),
                "lesion_dice": lesion_dice, "lesion_f1": lesion_f1}
        out.append({
            "name": name, "size": list(prediction.shape[::-1]), "spacing": list(spacing[::-1]),
            "tolerances": TOLERANCES, "prediction": "".join(map(str, prediction.ravel())),
            "reference": "".join(map(str, reference.ravel())), "scores": scores})
    return out


def surface_distance_package(x, y, spacing, tolerance):
    """HD95 and NSD of google-deepmind's surface-distance; y is the reference."""
    for name, value in (("Inf", np.inf), ("NaN", np.nan)):
        setattr(np, name, value)  # it is older than numpy 2
    ndimage.filters = ndimage.morphology = ndimage
    import surface_distance
    distances = surface_distance.compute_surface_distances(y, x, spacing)
    return (surface_distance.compute_robust_hausdorff(distances, 95),
            surface_distance.compute_surface_dice_at_tolerance(distances, tolerance))


def monai(x, y, spacing, tolerance):
    """HD95 and NSD of MONAI; nothing where it is not installed."""
    try:
        import torch
        from monai import metrics
    except ImportError:
        return math.nan, math.nan
    x, y = (torch.from_numpy(np.stack([~m, m])[None].astype(np.float32)) for m in (x, y))
    spacing = [float(s) for s in spacing]
    return (float(metrics.compute_hausdorff_distance(x, y, percentile=95, spacing=spacing)),
            float(metrics.compute_surface_dice(x, y, [tolerance], spacing=spacing)))


def both_directions_at_once(x, y, spacing):
    """HD95 of medpy: one percentile of the distances of both directions together."""
    return float(np.percentile(np.concatenate(surface_distances(x, y, spacing)), 95))


def print_tools():
    print(f"{'':26}{'HD95 mm: ours':>14}{'MONAI':>9}{'surf-d.':>9}{'medpy':>9}"
          f"{'NSD 1 mm: ours':>16}{'MONAI':>9}{'surf-d.':>9}")
    for name, spacing, prediction, reference in cases():
        x, y = prediction == 1, reference == 1
        if not x.any() or not y.any():
            continue
        ours, theirs = hd95(x, y, spacing), monai(x, y, spacing, 1.0)
        package = surface_distance_package(x, y, spacing, 1.0)
        print(f"{name:26}{ours:14.4f}{theirs[0]:9.4f}{package[0]:9.4f}"
              f"{both_directions_at_once(x, y, spacing):9.4f}{nsd(x, y, spacing, 1.0):16.4f}"
              f"{theirs[1]:9.4f}{package[1]:9.4f}")


def starts(volume, patch, overlap):
    padded = max(volume, patch)
    interval = patch if patch == padded else max(1, int(patch * (1 - overlap)))
    number = math.ceil(padded / interval)
    count = next(d for d in range(number) if d * interval + patch >= padded) + 1
    first = [d * interval - max(d * interval + patch - padded, 0) for d in range(count)]
    return [start - max(patch - volume, 0) // 2 for start in first]


def importance(patch):
    """Float32 like MONAI; patch is z, y, x."""
    weights = np.ones(1, np.float32)
    for n in patch:
        sigma = 0.125 * n
        x = np.arange(-(n - 1) / 2, (n - 1) / 2 + 1, dtype=np.float32)
        bell = np.exp(x**2 / np.float32(-2 * sigma**2))
        weights = weights[..., None] * bell
    weights = weights[0]
    return np.maximum(weights, max(weights.min(), 1e-3))


def window_fixture():
    axes = [(64, 64, 0.5), (65, 64, 0.5), (155, 64, 0.5), (35, 64, 0.5), (34, 64, 0.25),
            (240, 96, 0.5), (100, 32, 0.25), (10, 3, 0.9), (97, 32, 0.7), (128, 64, 0)]
    patches = [(8, 8, 8), (4, 6, 9), (1, 2, 5)]
    return {
        "axes": [{"volume": v, "patch": p, "overlap": o, "starts": starts(v, p, o)}
                 for v, p, o in axes],
        "weights": [{"patch": list(p[::-1]),
                     "weights": [round(float(w), 9) for w in importance(p).ravel()]}
                    for p in patches]}


def paired_fixture():
    random = np.random.default_rng(11)
    out = []

    def add(name, first, second):
        t, w = stats.ttest_rel(second, first), stats.wilcoxon(second, first)
        out.append({
            "name": name, "first": [float(v) for v in first], "second": [float(v) for v in second],
            "t": float(t.statistic), "t_p": float(t.pvalue), "wilcoxon": float(w.statistic),
            "wilcoxon_p": float(w.pvalue)})

    for n in (2, 3, 6, 10, 13, 14, 21, 50, 51, 125):
        first = random.beta(8, 2, n)
        add(f"{n} pairs", first, first + random.normal(0.01, 0.03, n))
    for n in (6, 13, 14, 30):
        first = random.integers(80, 96, n) / 128
        add(f"{n} pairs with ties and zeros", first, first + random.integers(-3, 5, n) / 128)
    first = random.beta(8, 2, 40)
    add("all better", first, first + random.uniform(0.1, 0.2, 40))
    add("BraTS's price", [373.13, 2.0, 3.5, 0, 4.25], [0, 2.5, 3.0, 373.13, 4.0])
    return out


def main():
    if sys.argv[1:] == ["--tools"]:
        return print_tools()
    folder = pathlib.Path(
        sys.argv[1] if len(sys.argv) > 1 else "Tests/ImagingTests/Fixtures/metrics")
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in (("metrics", metric_fixture()), ("paired", paired_fixture()),
                        ("windows", window_fixture())):
        (folder / f"{name}.json").write_text(json.dumps(value) + "\n")


if __name__ == "__main__":
    main()
