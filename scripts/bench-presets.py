"""Trains with every augmentation preset and several seeds, and prints the mean Dice of each, at equal
steps and at equal processor time.

    python scripts/bench-presets.py LKDIST DATA [SEEDS [EPOCHS [RANKS]]]     as scripts/bench-presets.sh does
"""
import os
import pathlib
import statistics
import sys
import tempfile

import training_runs

PRESETS = "none", "light", "default"
PATCHES_A_STEP = 2


def train(folder, preset, seed, epochs, ranks):
    """Mean foreground Dice of fold 0 after the last epoch, and the processor seconds of all ranks."""
    settings = {"model.channels": 16, "optimizer.learningRate": 2.0e-3,
                "training.accumulate": PATCHES_A_STEP // ranks, "augmentation.preset": preset}
    dice, seconds = training_runs.train(
        program, folder / "lkdist.yaml", folder / f"{preset}-{seed}-{epochs}", epochs, settings, seed,
        ranks=ranks)
    print(f"  {preset:8} seed {seed}, {epochs} epochs: {dice:.4f}", flush=True)
    return dice, seconds


def row(preset, epochs, runs):
    dice = [run[0] for run in runs]
    seconds = statistics.mean(run[1] for run in runs)
    print(f"{preset:8} {epochs:7} {seconds:10.0f} {statistics.mean(dice):8.4f} ± {statistics.stdev(dice):.4f}", flush=True)


def main(data, seeds="3", epochs="24", ranks="2"):
    with tempfile.TemporaryDirectory(prefix="lkdist-presets.") as name:
        folder = pathlib.Path(name)
        training_runs.write_configuration(program, data, folder / "lkdist.yaml")
        train(folder, "none", 0, 1, int(ranks))  # prepares the volumes once, for all runs
        runs = {}
        for seed in range(int(seeds)):
            for preset in PRESETS:
                runs.setdefault(preset, []).append(train(folder, preset, seed, int(epochs), int(ranks)))
        cost = {preset: statistics.median(run[1] for run in runs[preset]) for preset in PRESETS}
        print("preset    epochs  core-s/run  Dice, mean ± sd over seeds")
        for preset in PRESETS:
            row(preset, int(epochs), runs[preset])
        for preset in PRESETS[1:]:
            fewer = round(int(epochs) * cost["none"] / cost[preset])
            if fewer < int(epochs):
                row(preset, fewer, [train(folder, preset, seed, fewer, int(ranks)) for seed in range(int(seeds))])


program = os.path.abspath(sys.argv[1])
main(*sys.argv[2:])
