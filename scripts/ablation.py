"""Trains the article's ablation grid and prints its Tables 5, 6 and 11, as scripts/ablation.sh does.

    python scripts/ablation.py LKDIST DATA [OPTIONS]
"""
import argparse
import json
import math
import os
import pathlib
import re
import subprocess
import sys

LEGEND = """p: paired t-test over the subjects, two-sided, not corrected for the number of tests.
Coverage: the share of the module's feature map that its kernel reaches, product over the axes."""


def parse(words):
    parser = argparse.ArgumentParser(prog="ablation.sh", description=__doc__.split(",")[0] + ".",
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("data", type=pathlib.Path, help="the folder of a data set")
    parser.add_argument("--output", type=pathlib.Path, default="ablation", help="the folder of all runs, which is gone on with")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--channels", type=int, default=16, help="of the finest scale")
    parser.add_argument("--scales", type=int, default=5)
    parser.add_argument("--patch", default="32,48,32", help="x,y,z in voxels, multiples of 2^(scales-1)")
    parser.add_argument("--folds", type=int, default=1, help="of the configuration's 5, to train and pool")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--kernels", default="6:2,15:3,21:3", help="K:d at the finest scale (Table 6)")
    parser.add_argument("--small", default="6:2", help="K:d at every scale, and original (Table 5)")
    parser.add_argument("--ranks", type=int, default=1, help="above 1 under mpirun")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as for lkdist train; repeatable")
    return parser.parse_args(words)


class Variant:
    """One network of the grid: `attention` as model.attention has it."""

    def __init__(self, name, attention, scale=None, kernel=None):
        self.name, self.attention, self.scale, self.kernel = name, attention, scale, kernel


def module(scale, kernel, decomposed=True):
    size, dilation = kernel
    whole = "" if decomposed else ", decomposed: false"
    name = f"scale{scale}-k{size}" + ("" if decomposed else "-original")
    text = f"[{{scale: {scale}, kernelSize: {size}, dilation: {dilation}{whole}}}]"
    return Variant(name, text, scale, size)


def kernels(text):
    return [tuple(int(number) for number in pair.split(":")) for pair in text.split(",")]


class Grid:
    """All runs, their scores and the tables of them."""

    def __init__(self, program, options):
        self.program, self.options = program, options
        self.folder = options.output.absolute()
        self.patch = [int(size) for size in options.patch.split(",")]
        small = kernels(options.small)[0]
        lowest = options.scales - 2
        self.base, self.cbam, self.full = Variant("none", "none"), Variant("cbam", "cbam"), Variant("full", "full")
        # As lkdist places it: at 1/4, or as low as there are scales.
        self.mid = Variant("mid", "mid", min(2, lowest), 21)
        self.pairs = [(module(scale, small, decomposed=False), module(scale, small))
                      for scale in dict.fromkeys([lowest, 0])]
        self.sizes = [module(0, kernel) for kernel in kernels(options.kernels)]
        self.places = [module(scale, small) for scale in range(lowest, -1, -1)]
        all_variants = [self.base, self.mid, self.full, self.cbam, *self.sizes, *self.places]
        all_variants += [variant for pair in self.pairs for variant in pair]
        self.variants = {variant.name: variant for variant in all_variants}
        self.classes = []

    # Runs

    def settings(self, variant):
        options = self.options
        common = {"model.channels": options.channels, "model.scales": options.scales,
                  "data.patchSize": f"[{', '.join(map(str, self.patch))}]", "data.cacheFolder": self.folder / "prepared",
                  "training.epochs": options.epochs, "training.validateEvery": options.epochs,
                  "augmentation.preset": "none", "model.attention": variant.attention}
        pairs = [f"{key}={value}" for key, value in common.items()] + options.set
        return [word for pair in pairs for word in ("--set", pair)]

    def begin(self):
        """Writes the configuration, or goes on with the runs of another call of the same size."""
        size = {key: str(value) for key, value in vars(self.options).items() if key in
                ("data", "epochs", "channels", "scales", "patch", "seed", "set")}
        size["data"] = str(self.options.data.resolve())
        note = self.folder / "size.json"
        if note.exists():
            if json.loads(note.read_text()) != size:
                sys.exit(f"error: {self.folder} holds runs of another size ({note}); choose another --output")
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self.call("init", self.options.data.resolve(), "-o", self.folder / "lkdist.yaml")
        note.write_text(json.dumps(size, indent=2) + "\n")

    def call(self, *words, launcher=()):
        result = subprocess.run([*launcher, self.program, *map(str, words)], stdout=subprocess.PIPE, text=True)
        if result.returncode != 0:
            sys.exit(f"error: lkdist {' '.join(map(str, words))} ended with {result.returncode}; run again to go on")
        return result.stdout

    def train(self, variant):
        """Trains all folds, pools their last validation and counts the parameters."""
        ranks = self.options.ranks
        launcher = ["mpirun", "--bind-to", "none", "-n", str(ranks)] if ranks > 1 else []
        common = ["train", self.folder / "lkdist.yaml", "--seed", self.options.seed, *self.settings(variant)]
        runs = [self.folder / variant.name / f"fold-{fold}" for fold in range(self.options.folds)]
        for fold, run in enumerate(runs):
            # lkdist goes on from a run's last checkpoint, and leaves one that is finished as it is.
            self.call(*common, "--fold", fold, "--output", run, "--quiet", launcher=launcher)
        log = (runs[0] / "train.log").read_text()
        variant.parameters = int(re.search(r"(\d+) parameters", log).group(1))
        scores = self.folder / f"{variant.name}.json"
        self.call("evaluate", "--runs", *runs, "-o", scores, "--overwrite", "--quiet")
        variant.scores = json.loads(scores.read_text())
        print(f"{variant.name}: mean Dice {self.mean(variant, 'dice'):.4f}", flush=True)

    def train_all(self):
        for variant in self.variants.values():
            self.train(variant)
        mean = self.base.scores["mean"]
        self.classes = [key for key in mean if key != "foreground"]

    # Figures

    def twin(self, variant):
        """The variant that was trained, for one that stands in several tables."""
        return self.variants[variant.name]

    def mean(self, variant, measure, key="foreground"):
        return self.twin(variant).scores["mean"][key][measure]

    def added(self, variant):
        return self.twin(variant).parameters - self.base.parameters

    def compare(self, a, b):
        files = [self.folder / f"{variant.name}.json" for variant in (a, b)]
        return json.loads(self.call("evaluate", "--compare", *files, "--json"))["measures"]

    def p(self, a, b):
        return probability(self.compare(a, b)["dice"]["foreground"])

    def place(self, variant):
        extent = [size >> variant.scale for size in self.patch]
        return "x".join(map(str, extent)), math.prod(min(variant.kernel, size) / size for size in extent)

    def names(self):
        return [self.base.scores["mean"][key]["name"] for key in self.classes] + ["mean"]

    def dice(self, variant):
        return [f"{100 * self.mean(variant, 'dice', key):.2f}" for key in [*self.classes, "foreground"]]

    # Tables

    def table5(self):
        rows = [["feature map", "K", "convolution", *self.names(), "added parameters", "D / O", "p (mean)"]]
        for original, decomposed in self.pairs:
            share = f"{100 * self.added(decomposed) / self.added(original):.2f} %"
            place, size = self.place(original)[0], str(original.kernel)
            rows.append([place, size, "original (O)", *self.dice(original), f"{self.added(original):,}", "", ""])
            rows.append(["", "", "decomposed (D)", *self.dice(decomposed), f"{self.added(decomposed):,}", share,
                         self.p(original, decomposed)])
        show("Table 5. Dice (%) of the original and the decomposed convolution", rows)

    def table6(self):
        rows = [["modules", "feature map", "K", "coverage", *self.names(), "added parameters", "of base", "p (mean) to none", "to mid"]]
        kinds = [("none", self.base), *(("one", variant) for variant in self.sizes + self.places),
                 ("mid", self.mid), ("full", self.full), ("CBAM", self.cbam)]
        seen = set()
        for kind, variant in kinds:
            if variant.name in seen:
                continue
            seen.add(variant.name)
            place, coverage = self.place(variant) if variant.kernel else ("", None)
            added = self.added(variant)
            rows.append([kind, place, str(variant.kernel or ""), "" if coverage is None else f"{100 * coverage:.1f} %",
                         *self.dice(variant), f"{added:,}" if added else "", f"{100 * added / self.base.parameters:.4f} %" if added else "",
                         self.p(self.base, variant) if variant is not self.base else "",
                         self.p(self.mid, variant) if variant is not self.mid else ""])
        show("Table 6. Dice (%) by the modules' kernel size K and place", rows)

    def table11(self):
        rows = [["class", "Dice none", "mid", "mid - none", "p", "HD95 none (mm)", "mid", "mid - none", "p"]]
        tests = self.compare(self.base, self.mid)
        for key, name in zip([*self.classes, "foreground"], self.names()):
            row = [name]
            for measure, factor in ("dice", 100), ("hd95", 1):
                test = tests[measure][key]
                row += [f"{factor * test[side]:.2f}" for side in "ab"]
                row += [f"{factor * test['difference']:+.2f}", probability(test)]
            rows.append(row)
        show("Table 11. What the module of Mid changes, Dice in %", rows)


def probability(test):
    """Of the paired t-test; a dash where all differences are the same."""
    p = test["t_p"]
    return "-" if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"


def show(title, rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    print(f"\n{title}")
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  ".join(cells).rstrip())


def main(program, *words):
    options = parse(words)
    grid = Grid(os.path.abspath(program), options)
    grid.begin()
    grid.train_all()
    subjects = len(grid.base.scores["subjects"])
    print(f"\n{options.data.name}: {subjects} subjects of {options.folds} fold{'s' * (options.folds > 1)}, {options.epochs} epochs, "
          f"{options.channels} channels, {options.scales} scales, patch {options.patch}, {grid.base.parameters:,} parameters without attention.")
    print(LEGEND)
    grid.table5()
    grid.table6()
    grid.table11()


main(*sys.argv[1:])
