"""Times whole predictions of lkdist and MONAI's sliding window over the PyTorch twin, with one set of weights.

    bench-prediction.py LKDIST SIZE PATCH THREADS OVERLAP      as scripts/bench-prediction.sh does

lkdist's seconds are those of the whole command: it starts, reads checkpoint and image, normalizes, runs
the windows, and writes the compressed label map. MONAI's are those of sliding_window_inference and the
arg-max alone, on an array that is there.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import monai
import nibabel
import numpy as np
import torch
from monai.inferers import sliding_window_inference

import lkdist_torch

CLASSES = 4


def write_data(folder, size, patch):
    """A data set of MSD's layout with one image of `size`, and a smaller one to make a checkpoint from."""
    rng = np.random.default_rng(3)
    entries = []
    for index, shape in enumerate([size, patch, patch]):
        for part in ["imagesTr", "labelsTr"]:
            (folder / part).mkdir(exist_ok=True)
        image = rng.standard_normal(shape).astype(np.float32) + 20
        label = rng.integers(0, CLASSES, shape).astype(np.uint8)
        for part, values in [("imagesTr", image), ("labelsTr", label)]:
            nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), folder / part / f"case_{index}.nii")
        entries.append({"image": f"./imagesTr/case_{index}.nii", "label": f"./labelsTr/case_{index}.nii"})
    (folder / "dataset.json").write_text(json.dumps({
        "name": "bench", "modality": {"0": "MRI"}, "training": entries,
        "labels": {str(c): "background" if c == 0 else f"class {c}" for c in range(CLASSES)}}))
    (folder / "lkdist.yaml").write_text(
        "data: {path: ., fold: all, spacing: null, patchSize: [%s]}\n" % ", ".join(map(str, patch)))


def run(words):
    start = time.perf_counter()
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return time.perf_counter() - start


def monai_seconds(net, image, patch, overlap):
    def finest(x):
        return net(x)[0]
    with torch.inference_mode():
        finest(torch.zeros(1, 1, *patch))
        start = time.perf_counter()
        logits = sliding_window_inference(
            image, patch, 1, finest, overlap=overlap, mode="gaussian", sigma_scale=0.125)
        labels = logits.argmax(1)
        return time.perf_counter() - start, torch.softmax(logits, 1)[0].numpy(), labels[0].numpy()


def main():
    program, size, patch, threads, overlap = sys.argv[1:]
    size, patch = [tuple(map(int, text.split(","))) for text in (size, patch)]
    torch.set_num_threads(int(threads))
    os.environ["LKDIST_THREADS"] = threads
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_data(folder, size, patch)
        run([program, "train", folder / "lkdist.yaml", "--output", folder / "run", "--max-steps", "1"])
        weights = folder / "run/checkpoints/last.safetensors"
        image = folder / "imagesTr/case_0.nii"
        predict = [program, "predict", "--checkpoint", weights, "-i", image, "-o", folder / "out",
                   "--overlap", overlap, "--overwrite"]
        ours = min(run(predict) for _ in range(2))
        values = nibabel.load(image).get_fdata(dtype=np.float32)
        values = (values - values.mean(dtype=np.float64)) / (values.std(dtype=np.float64) + 1e-8)
        tensor = torch.from_numpy(np.ascontiguousarray(values.astype(np.float32).T))[None, None]
        # Both count windows along z, y, x, the twin's axes.
        theirs, expected, labels = monai_seconds(lkdist_torch.load(weights)[0], tensor, patch[::-1], float(overlap))
        run(predict + ["--save-probabilities"])
        found = nibabel.load(folder / "out/probabilities/case_0.nii.gz").get_fdata(dtype=np.float32).T
        own = np.asarray(nibabel.load(folder / "out/case_0.nii.gz").dataobj).T
    print(f"{size} voxels, patch {patch}, overlap {overlap}, {threads} threads, "
          f"MONAI {monai.__version__}, torch {torch.__version__}")
    print(f"  lkdist predict, the whole command {ours:8.2f} s")
    print(f"  MONAI sliding_window_inference    {theirs:8.2f} s   {theirs / ours:.2f} x")
    print(f"  probabilities differ by at most {np.abs(found - expected).max():.1e}, "
          f"labels in {(own != labels).mean():.1e} of the voxels")


main()
