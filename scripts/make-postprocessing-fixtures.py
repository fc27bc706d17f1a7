#!/usr/bin/python3
"""Writes the fixtures of the post-processing tests (needs numpy and scipy).

    scripts/make-postprocessing-fixtures.py [Tests/ImagingTests/Fixtures/postprocessing]

steps.json: label maps as strings of digits, x fastest, before and after keeping the largest component
(scipy.ndimage.label, 26-connected), filling holes (scipy.ndimage.binary_fill_holes) and removing what
is small, for a class and for regions that lie in each other.
"""
import json
import pathlib
import sys

import numpy as np
from scipy import ndimage

CORNERS = ndimage.generate_binary_structure(3, 3)


def text(labels):
    return "".join(str(v) for v in labels.ravel())


def process(labels, values, painted, below, largest, fill, minimum):
    labels = labels.copy()
    mask = np.isin(labels, values)
    if largest and mask.any():
        parts, count = ndimage.label(mask, CORNERS)
        sizes = np.bincount(parts.ravel())[1:]
        labels[mask & (parts != 1 + sizes.argmax())] = below
        mask = np.isin(labels, values)
    if fill:
        labels[ndimage.binary_fill_holes(mask) & ~mask] = painted
        mask = np.isin(labels, values)
    if mask.sum() < minimum:
        labels[mask] = below
    return labels


def blobs(rng, shape, threshold):
    smooth = ndimage.gaussian_filter(rng.standard_normal(shape), 1.2)
    return smooth > threshold * smooth.std()


def case(rng, shape):
    whole = blobs(rng, shape, 0.5) | blobs(rng, shape, 1.0)
    shell = ndimage.binary_dilation(whole, iterations=1) & ~ndimage.binary_erosion(whole)
    labels = np.where(shell, 2, 0)
    core = blobs(rng, shape, 0.8) & shell
    labels[core] = 1
    labels[core & blobs(rng, shape, 0.2)] = 4
    return labels


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "Tests/ImagingTests/Fixtures/postprocessing")
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    targets = [([2], 2, 0), ([4], 4, 1), ([1, 4], 1, 2), ([1, 2, 4], 2, 0)]
    cases = []
    for shape in [(9, 11, 13), (1, 12, 10), (14, 8, 9)]:
        before = case(rng, shape)
        steps = []
        for values, painted, below in targets:
            size = int(np.isin(before, values).sum())
            for largest, fill, minimum in [
                    (True, False, 0), (False, True, 0), (True, True, 0), (False, False, size),
                    (False, False, size + 1), (True, True, size // 2)]:
                after = process(before, values, painted, below, largest, fill, minimum)
                steps.append({"values": values, "painted": painted, "below": below, "largest": largest,
                              "fill": fill, "minimum": minimum, "after": text(after)})
        cases.append({"zyx": list(shape), "before": text(before), "steps": steps})
    (folder / "steps.json").write_text(json.dumps(cases, separators=(",", ":")))


main()
