"""Trains with 1 to 16 patches a step (as many ranks would, here by accumulation on one rank), each with every
rule of `schedule.scaleLearningRate`, and prints the Dice of all at equal epochs.

    python scripts/bench-large-batches.py LKDIST DATA FOLDER [SEEDS [EPOCHS]]     as the .sh does

The base learning rate is the best of RATES for one patch a step. Runs are kept in FOLDER and not run again."""
import os
import pathlib
import statistics
import sys

import training_runs

RATES = 1.0e-3, 2.0e-3, 5.0e-4, 4.0e-3
BATCHES = 2, 4, 8, 16
RULES = "none", "sqrt", "linear"
WARMED_UP = 8, 16  # batches that are also trained with warm-up to a rate that was scaled
WARMUP_EPOCHS = 2
TRAINING_SUBJECTS = 48  # of fold 0 of Task04_Hippocampus's first 60 cases: steps of an epoch at batch 1


class Comparison:
    def __init__(self, program, data, folder, seeds, epochs):
        self.program, self.folder, self.seeds, self.epochs = program, folder, seeds, epochs
        self.configuration = folder / "lkdist.yaml"
        if not self.configuration.exists():
            training_runs.write_configuration(program, data, self.configuration)

    def dice(self, batch, rule, rate, warmup_steps=0):
        """Dice of every seed."""
        return [self.train(batch, rule, rate, warmup_steps, seed) for seed in self.seeds]

    def train(self, batch, rule, rate, warmup_steps, seed):
        run = self.folder / f"{batch}-{rule}-{rate:g}-{warmup_steps}-{seed}-{self.epochs}"
        settings = {
            "model.channels": 16, "augmentation.preset": "none", "training.accumulate": batch,
            "optimizer.learningRate": rate, "schedule.scaleLearningRate": rule,
            "schedule.warmupSteps": warmup_steps}
        dice, seconds = training_runs.train(
            self.program, self.configuration, run, self.epochs, settings, seed, threads=1)
        print(f"  {run.name}: {dice:.4f}, {seconds:.0f} s", flush=True)
        return dice


def row(batch, rule, warmup_steps, dice):
    spread = f" ± {statistics.stdev(dice):.4f}" if len(dice) > 1 else ""
    print(f"{batch:5}  {rule:6} {warmup_steps:13} {statistics.mean(dice):8.4f}{spread}", flush=True)


def main(program, data, folder, seeds="1", epochs="12"):
    comparison = Comparison(program, data, pathlib.Path(folder), range(int(seeds)), int(epochs))
    at_one = {rate: comparison.dice(1, "none", rate) for rate in RATES}
    base = max(RATES, key=lambda rate: statistics.mean(at_one[rate]))
    rows = [(1, f"{rate:g}", 0, at_one[rate]) for rate in RATES]
    for batch in BATCHES:
        rows += [(batch, rule, 0, comparison.dice(batch, rule, base)) for rule in RULES]
    for batch in WARMED_UP:
        steps = WARMUP_EPOCHS * -(-TRAINING_SUBJECTS // batch)
        rows += [(batch, rule, steps, comparison.dice(batch, rule, base, steps)) for rule in RULES[1:]]
    print(f"base learning rate {base:g}, {epochs} epochs\nbatch  rule   warm-up steps  Dice")
    for line in rows:
        row(*line)


main(os.path.abspath(sys.argv[1]), *sys.argv[2:])
