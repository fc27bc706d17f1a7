#!/usr/bin/python3
"""Fixture of Tests/ImagingTests/AugmentationTests: what SciPy and NumPy make of small volumes.

    scripts/make-augmentation-fixtures.py      writes Tests/ImagingTests/Fixtures/imaging/augmentation.json
"""

import json
import pathlib

import numpy as np
from scipy import ndimage
from scipy.interpolate import BSpline

TARGET = (
    pathlib.Path(__file__).resolve().parent.parent
    / "Tests/ImagingTests/Fixtures/imaging/augmentation.json"
)
rng = np.random.default_rng(7)


def floats(array, digits=7):
    return [round(float(v), digits) for v in np.ravel(array)]


def volume(channels, xyz):
    """Smooth enough to be like an image, [C][z][y][x]; values are exact in float32."""
    noise = rng.normal(size=(channels, *xyz[::-1]))
    smooth = np.stack([ndimage.gaussian_filter(c, 0.7) for c in noise]) * 3
    return np.round(smooth * 1024) / 1024


def rotation(angles):
    """About x, then y, then z; on vectors x, y, z."""
    (a, b, c) = angles
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return rz @ ry @ rx


def displacements(controls, counts, extent, steps):
    """[3][z][y][x], from controls [z][y][x][3]: cubic B-splines whose first control lies at -step."""
    basis = []
    for count, size, step in zip(counts, extent, steps):
        places = np.arange(size) / step
        rows = [BSpline.basis_element(np.arange(k - 3, k + 2), extrapolate=False)(places) for k in range(count)]
        basis.append(np.nan_to_num(np.array(rows)))
    return np.einsum("zyxc,xi,yj,zk->ckji", controls, *basis)


def spatial(size, corner, extent, angles, scale, spacing, steps=None):
    image = volume(2, size)
    labels = rng.integers(0, 4, size=size[::-1])
    labels = ndimage.grey_opening(labels, size=2)
    spacing = np.array(spacing)
    case = {
        "size": size, "corner": corner, "extent": extent, "angles": list(angles), "scale": scale,
        "spacing": floats(spacing), "image": floats(image), "labels": labels.ravel().tolist(),
    }
    z, y, x = np.meshgrid(*[np.arange(n) - (n - 1) / 2 for n in extent[::-1]], indexing="ij")
    offsets = np.stack([x, y, z]).reshape(3, -1)
    center = np.array(corner) + (np.array(extent) - 1) / 2
    matrix = np.diag(1 / spacing) @ rotation(angles) @ np.diag(spacing) / scale
    places = center[:, None] + matrix @ offsets
    if steps:
        counts = [int((n - 1) / s) + 4 for n, s in zip(extent, steps)]
        controls = np.round(rng.uniform(-1.5, 1.5, size=(*counts[::-1], 3)) * 256) / 256
        places += displacements(controls, counts, extent, steps).reshape(3, -1)
        case["steps"] = steps
        case["controls"] = floats(controls)

    def read(array, outside=0):
        return ndimage.map_coordinates(
            array.astype(float), places[::-1], order=1, mode="grid-constant", cval=outside)

    case["expectedImage"] = floats(np.stack([read(c) for c in image]))
    shares = [np.round(read(labels == v, outside=int(v == 0)), 6) for v in range(4)]
    case["expectedLabels"] = np.argmax(shares, axis=0).tolist()
    return case


def gamma(image, exponent):
    low, high = image.min(), image.max()
    raised = ((image - low) / (high - low)) ** exponent
    return (raised - raised.mean()) / raised.std() * image.std() + image.mean()


def intensities(size):
    image = volume(1, size)[0]
    sigma = [0.5, 0.83, 1.0]
    zoom = 0.62
    small = [max(1, round(n * zoom)) for n in size[::-1]]
    down = ndimage.zoom(
        image, [m / n for m, n in zip(small, image.shape)], order=0, mode="nearest", grid_mode=True)
    up = ndimage.zoom(
        down, [n / m for m, n in zip(small, image.shape)], order=1, mode="nearest", grid_mode=True)
    assert list(down.shape) == small and up.shape == image.shape
    contrast = np.clip((image - image.mean()) * 1.2 + image.mean(), image.min(), image.max())
    coefficients = np.round(rng.uniform(-0.5, 0.5, 20) * 1024) / 1024
    z, y, x = np.meshgrid(*[np.linspace(-1, 1, n) for n in image.shape], indexing="ij")
    powers = [(i, j, k) for i in range(4) for j in range(4 - i) for k in range(4 - i - j)]
    field = np.exp(sum(c * x**i * y**j * z**k for c, (i, j, k) in zip(coefficients, powers)))
    return {
        "size": size, "image": floats(image), "sigma": sigma,
        "blurred": floats(ndimage.gaussian_filter(image, sigma[::-1])),
        "zoom": zoom, "coarse": floats(up), "contrast": floats(contrast),
        "gamma": floats(gamma(image, 0.7)), "invertedGamma": floats(-gamma(-image, 1.5)),
        "coefficients": floats(coefficients), "biased": floats(image * field),
    }


CASES = {
    "spatial": [
        # Inside the volume; at its edge; smaller than the patch; anisotropic; deformed.
        spatial([16, 15, 14], [4, 5, 4], [9, 6, 5], [0.2, -0.1, 0.3], 1.2, [1, 1, 1]),
        spatial([10, 9, 8], [0, 3, 2], [8, 6, 5], [-0.5, 0.4, 0.52], 0.7, [1, 1, 1]),
        spatial([5, 9, 4], [-2, 0, -1], [9, 8, 7], [0, 0, 0.5], 1.0, [1, 1, 1]),
        spatial([10, 9, 8], [1, 1, 1], [8, 7, 5], [0.4, 0.3, -0.5], 1.1, [0.8, 1, 3]),
        spatial([12, 11, 10], [1, 2, 2], [9, 8, 6], [0.1, 0, 0], 0.9, [1, 1, 1], [4.0, 3.5, 5.0]),
    ],
    "intensities": [intensities([13, 9, 7]), intensities([3, 11, 2])],
}
TARGET.write_text(json.dumps(CASES, separators=(",", ":")) + "\n")
print(TARGET, TARGET.stat().st_size, "bytes")
