"""Times MONAI's transforms that correspond to lkdist's default list, on one thread.

    bench-augmentation.py LKDIST [PATCHES]      4 channels, patches of 128^3 from a volume of 192^3

Where one patch in two or one channel in two is changed by lkdist, MONAI, which changes all channels
together, does so half as often: the work is the same. Rotation and scaling are one resampling in
both. Labels are nearest neighbors in MONAI, the cheaper choice.
"""

import json
import subprocess
import sys
import time

import monai
import torch
from monai import transforms as mt

torch.set_num_threads(1)
monai.utils.set_determinism(42)
KEYS = ["image", "label"]
COMMON = {"keys": "image"}
TRANSFORMS = {
    "spatial": lambda p: mt.RandAffined(
        KEYS, prob=p, rotate_range=[0.5236] * 3, scale_range=[(-0.3, 0.4)] * 3,
        mode=["bilinear", "nearest"], padding_mode="zeros", cache_grid=True, spatial_size=[128] * 3),
    "noise": lambda p: mt.RandGaussianNoised(**COMMON, prob=p, std=0.3),
    "blur": lambda p: mt.RandGaussianSmoothd(
        **COMMON, prob=p, sigma_x=(0.5, 1), sigma_y=(0.5, 1), sigma_z=(0.5, 1)),
    "brightness": lambda p: mt.RandScaleIntensityd(**COMMON, prob=p, factors=0.25, channel_wise=True),
    "contrast": lambda p: mt.RandScaleIntensityFixedMeand(
        **COMMON, prob=p, factors=0.25, preserve_range=True),
    "low-resolution": lambda p: mt.RandSimulateLowResolutiond(
        **COMMON, prob=p, zoom_range=(0.5, 1), upsample_mode="trilinear"),
    "inverted-gamma": lambda p: mt.RandAdjustContrastd(
        **COMMON, prob=p, gamma=(0.7, 1.5), retain_stats=True, invert_image=True),
    "gamma": lambda p: mt.RandAdjustContrastd(**COMMON, prob=p, gamma=(0.7, 1.5), retain_stats=True),
    "mirror": lambda p: mt.Compose([mt.RandFlipd(KEYS, prob=p, spatial_axis=axis) for axis in range(3)]),
}
PROBABILITIES = {
    "spatial": 0.36, "noise": 0.1, "blur": 0.1, "brightness": 0.15, "contrast": 0.15,
    "low-resolution": 0.125, "inverted-gamma": 0.1, "gamma": 0.3, "mirror": 0.5,
}


def seconds(names, probabilities, patches, data):
    crop = mt.RandSpatialCropd(KEYS, roi_size=[128] * 3, random_size=False)
    run = mt.Compose([crop] + [TRANSFORMS[n](p) for n, p in zip(names, probabilities)])
    run(data)
    start = time.perf_counter()
    for _ in range(patches):
        run(data)
    return (time.perf_counter() - start) / patches


def main():
    lkdist, patches = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20
    ours = {}
    command = [lkdist, "bench", "augmentation", "--patches", str(patches), "--each"]
    for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines():
        entry = json.loads(line)
        ours[entry["augmentation"]] = entry["patch_s"]
    data = {
        "image": monai.data.MetaTensor(torch.rand(4, 192, 192, 192)),
        "label": monai.data.MetaTensor(torch.randint(0, 4, (1, 192, 192, 192)).to(torch.int16)),
    }
    theirs = {"none": seconds([], [], patches, data)}
    theirs["default"] = seconds(list(PROBABILITIES), PROBABILITIES.values(), 3 * patches, data)
    for name in TRANSFORMS:
        theirs[name] = seconds([name], [1], max(3, patches // 5), data)
    print(f"MONAI {monai.__version__}, torch {torch.__version__}; ms per patch on one thread")
    for name, value in theirs.items():
        own = ours["rotation" if name == "spatial" else name]
        print(f"{name:16} lkdist {own * 1e3:7.1f}   MONAI {value * 1e3:7.1f}   {value / own:5.1f} x")


main()
