#!/usr/bin/python3
"""Fixtures of Tests/ImagingTests, made by nibabel, SciPy and NumPy.

    scripts/make-imaging-fixtures.py               writes Tests/ImagingTests/Fixtures
    scripts/make-imaging-fixtures.py --check DIR   compares what lkdist wrote into DIR
                                                   (LKDIST_WRITE_DIR=DIR, ImagingTests) with them
"""

import itertools
import json
import pathlib
import sys

import nibabel as nib
import numpy as np
from scipy import ndimage

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "Tests/ImagingTests/Fixtures/imaging"
TYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"]
SHAPE = (5, 4, 3)


def save(name, data, affine, order="<", sform=True, qform=True, slope=None, inter=None, zooms=None):
    """Writes `data` as it is; without a form its code is 0."""
    header = nib.Nifti1Header(endianness=order)
    header.set_data_dtype(data.dtype.newbyteorder(order))
    header.set_data_shape(data.shape)
    image = nib.Nifti1Image(data, None, header, dtype=data.dtype)
    if zooms:
        image.header.set_zooms(zooms)
    if affine is not None:
        image.set_qform(affine if qform else None, code=1 if qform else 0, strip_shears=True)
        if not qform:
            image.header.set_zooms(nib.affines.voxel_sizes(affine))
        image.set_sform(affine if sform else None, code=2 if sform else 0)
    image.header.set_slope_inter(slope, inter)
    path = FIXTURES / name
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(image, path)
    if slope is not None or inter is not None:  # nibabel recomputes them when it saves
        raise SystemExit("use `patch` for slopes")
    return nib.load(path)


def patch(source, name, offset, values, dtype):
    """A copy of an uncompressed fixture with header fields replaced."""
    raw = bytearray((FIXTURES / source).read_bytes())
    fields = np.asarray(values, dtype=dtype).tobytes()
    raw[offset : offset + len(fields)] = fields
    (FIXTURES / name).write_bytes(raw)


def rotation(degrees):
    x, y, z = np.deg2rad(degrees)
    rx = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    ry = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    rz = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    return rz @ ry @ rx


def affine(spacing, degrees=(0, 0, 0), origin=(-11.5, 7.25, 31)):
    result = np.eye(4)
    result[:3, :3] = rotation(degrees) @ np.diag(spacing)
    result[:3, 3] = origin
    return result


def types():
    index = np.arange(60).reshape(SHAPE, order="F")
    for kind, order, ending in itertools.product(TYPES, "<>", ["nii", "nii.gz"]):
        data = index * 0.25 - 7 if kind[0] == "f" else index - (30 if kind[0] == "i" else 0)
        name = f"types/{kind}_{'little' if order == '<' else 'big'}.{ending}"
        save(name, data.astype(kind), affine((1, 1, 2)), order)


def forms():
    index = np.arange(60, dtype=np.int16).reshape(SHAPE, order="F")
    oblique = affine((1.5, 0.75, 3), (20, -12, 35))
    flipped = affine((-1, 2, -3), (5, 3, -8))
    sheared = oblique.copy()
    sheared[0, 1] += 0.2
    save("forms/both.nii.gz", index, oblique)
    save("forms/qform.nii.gz", index, oblique, sform=False)
    save("forms/qform_flipped.nii.gz", index, flipped, sform=False)
    save("forms/qform_big.nii", index, flipped, ">", sform=False)
    save("forms/qform_mirrored.nii.gz", index, affine((-1, 2, 3), (-25, 14, 60)), sform=False)
    save("forms/sform.nii.gz", index, sheared, qform=False)
    save("forms/both_flipped.nii", index, flipped)
    channels = np.arange(120, dtype=np.float32).reshape(SHAPE + (2,), order="F")
    save("forms/channels.nii.gz", channels, oblique)
    save("forms/trailing.nii.gz", channels.reshape(SHAPE + (2, 1)), oblique)
    expected = {}
    for path in sorted((FIXTURES / "forms").glob("*.nii*")):
        image = nib.load(path)
        expected[path.name] = {
            "shape": list(image.shape),
            "affine": image.affine[:3].tolist(),
            "orientation": "".join(nib.aff2axcodes(image.affine)),
        }
    write_json("forms.json", expected)
    save("none.nii", index, None, zooms=(2, 3, 4))
    save("plain.nii", index, oblique)
    patch("plain.nii", "slope.nii", 112, [0.5, -3], "<f4")
    patch("plain.nii", "slope_zero.nii", 112, [0, 7], "<f4")
    patch("plain.nii", "slope_nan.nii", 112, [np.nan, np.nan], "<f4")


def orientations():
    cases = []
    data = np.arange(60).reshape(SHAPE, order="F")
    for number, (axes, signs) in enumerate(
        itertools.product(itertools.permutations(range(3)), itertools.product([1, -1], repeat=3))
    ):
        matrix = affine((1, 2, 3), (10, -7, 4) if number % 2 else (0, 0, 0))
        turn = np.zeros((4, 4))
        turn[3, 3] = 1
        for column, (axis, sign) in enumerate(zip(axes, signs)):
            turn[axis, column] = sign
        image = nib.Nifti1Image(data.astype(np.int16), matrix @ turn)
        canonical = nib.as_closest_canonical(image)
        target = ["LPS", "SAR", "PIL", "ILA"][number % 4]
        transform = nib.orientations.ornt_transform(
            nib.io_orientation(image.affine), nib.orientations.axcodes2ornt(target)
        )
        other = image.as_reoriented(transform)
        cases.append({
            "affine": image.affine[:3].tolist(),
            "orientation": "".join(nib.aff2axcodes(image.affine)),
            "results": [
                {
                    "orientation": code,
                    "shape": list(result.shape),
                    "affine": result.affine[:3].tolist(),
                    "values": np.asarray(result.dataobj).flatten(order="F").tolist(),
                }
                for code, result in [("RAS", canonical), (target, other)]
            ],
        })
    write_json("orientations.json", cases)


def resample(values, target, smooth):
    """The rule of lkdist: Gaussian on axes that shrink, then linear, outer faces aligned."""
    shape = values.shape
    for axis in range(3):
        ratio = shape[axis] / target[axis]
        if smooth and ratio > 1:
            values = ndimage.gaussian_filter1d(
                values, (ratio - 1) / 2, axis, mode="nearest", truncate=4
            )
    points = [(np.arange(m) + 0.5) * n / m - 0.5 for n, m in zip(shape, target)]
    return ndimage.map_coordinates(
        values, np.meshgrid(*points, indexing="ij"), order=1, mode="nearest"
    )


def resampling():
    random = np.random.default_rng(7)
    cases = []
    for shape, target in [
        ((7, 6, 5), (4, 6, 9)), ((9, 8, 7), (3, 4, 7)), ((5, 5, 5), (11, 3, 8)),
        ((1, 4, 6), (3, 2, 6)), ((12, 3, 10), (1, 5, 3)), ((6, 6, 6), (6, 6, 6)),
    ]:
        values = random.normal(size=shape).astype(np.float32)
        coarse = random.integers(0, 4, size=[max(1, n // 2) for n in shape])
        labels = coarse
        for axis in range(3):
            labels = np.repeat(labels, 3, axis)
        labels = labels[tuple(slice(n) for n in shape)]
        labels = np.where(labels == 3, 300, labels)
        known = np.unique(labels)
        shares = np.stack([resample((labels == k).astype(float), target, False) for k in known])
        winner = (shares > shares.max(0) - 1e-6).argmax(0)
        cases.append({
            "shape": list(shape), "target": list(target),
            "values": flat(values),
            "smoothed": flat(resample(values.astype(float), target, True)),
            "linear": flat(resample(values.astype(float), target, False)),
            "labels": flat(labels), "resampledLabels": flat(known[winner]),
        })
    write_json("resampling.json", cases)


def normalization():
    random = np.random.default_rng(11)
    values = (random.normal(40, 300, size=400)).round().astype(np.float32)
    values[::7] = 0
    exact = values.astype(float)
    labels = (random.random(400) < 0.4).astype(int)
    inside = exact[labels > 0]
    lower, upper = np.percentile(inside, [0.5, 99.5])
    nonzero = exact[exact != 0]
    write_json("normalization.json", {
        "values": flat(values), "labels": flat(labels),
        "zscore": flat((exact - exact.mean()) / (exact.std() + 1e-8)),
        "zscoreNonzero": flat(
            np.where(exact != 0, (exact - nonzero.mean()) / (nonzero.std() + 1e-8), 0)
        ),
        "statistics": {
            "lower": lower, "upper": upper, "mean": inside.mean(), "deviation": inside.std()
        },
        "ct": flat((np.clip(exact, lower, upper) - inside.mean()) / (inside.std() + 1e-8)),
        "window": flat((np.clip(exact, -100, 240) + 100) / 340),
    })


def flat(values):
    """Values with x fastest; axis 0 of all arrays here is x."""
    return [float(f"{v:.9g}") if isinstance(v, float) else v
            for v in np.asarray(values).flatten(order="F").tolist()]


def write_json(name, value):
    FIXTURES.mkdir(parents=True, exist_ok=True)
    (FIXTURES / name).write_text(json.dumps(value))


def check(folder):
    failures = 0
    paths = sorted(pathlib.Path(folder).glob("*.nii*"))
    for path in paths:
        ours, theirs = nib.load(path), nib.load(FIXTURES / "forms" / path.name)
        voxels = np.squeeze(np.asarray(theirs.dataobj))
        problems = []
        if not np.allclose(ours.affine, theirs.affine, atol=1e-5):
            problems.append("affine")
        if nib.aff2axcodes(ours.affine) != nib.aff2axcodes(theirs.affine):
            problems.append("orientation")
        if "sform" not in path.name and not np.allclose(ours.get_qform(), theirs.affine, atol=1e-4):
            problems.append("qform")
        if ours.get_data_dtype() != (np.float32 if voxels.ndim == 4 else np.uint8):
            problems.append(f"type {ours.get_data_dtype()}")
        if not np.array_equal(np.asarray(ours.dataobj), voxels):
            problems.append("voxels")
        if ours.header["sform_code"] < 1 or ours.header["qform_code"] < 1:
            problems.append("form codes")
        failures += bool(problems)
        print(path.name, ", ".join(problems) or "ok")
    print(f"{len(paths) - failures} of {len(paths)} files agree")
    return 1 if failures or not paths else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--check"]:
        sys.exit(check(sys.argv[2]))
    for make in (types, forms, orientations, resampling, normalization):
        make()
    total = sum(path.stat().st_size for path in FIXTURES.rglob("*") if path.is_file())
    print(f"{total} bytes in {FIXTURES}")
