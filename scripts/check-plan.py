"""Compares what `lkdist plan` forecasts with what `lkdist train` takes, for unlike configurations, and prints a
row of each: seconds of a step and peak memory of rank 0.

    python scripts/check-plan.py LKDIST DATA [STEPS]     as scripts/check-plan.sh does
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

CONFIGURATIONS = {
    "16 channels, 4 scales, mid, 40x56x40": (1, {}),
    "32 channels, 6 scales, mid, 64x64x64": (1, {
        "model.channels": 32, "model.scales": 6, "data.patchSize": [64, 64, 64]}),
    "16 channels, 5 scales, full, 64x80x64": (1, {
        "model.attention": "full", "model.scales": 5, "data.patchSize": [64, 80, 64]}),
    "32 channels, 5 scales, none, 96x96x96, recompute": (1, {
        "model.channels": 32, "model.attention": "none", "model.scales": 5, "data.patchSize": [96, 96, 96],
        "training.recompute": "blocks"}),
    "16 channels, 4 scales, mid, 48x64x48, 2 ranks, 2 patches each": (2, {
        "data.patchSize": [48, 64, 48], "training.accumulate": 2}),
    "32 channels, 6 scales, mid, 128x128x128": (1, {
        "model.channels": 32, "model.scales": 6, "data.patchSize": [128, 128, 128]}),
}
COMMON = {"model.channels": 16, "model.scales": 4, "augmentation.preset": "none", "data.fold": "all"}
CORES = os.cpu_count()
ROUNDS = 2


def step_seconds(forecast):
    return forecast["splits"][0]["step_s"]


def options(settings):
    return [word for key, value in {**COMMON, **settings}.items() for word in ("--set", f"{key}={value}")]


def plan(folder, ranks, settings):
    command = [program, "plan", folder / "lkdist.yaml", "--json", "--quiet", "--ranks", str(ranks),
               "--ranks-per-node", str(ranks), "--threads", str(max(1, CORES // ranks)), "--timings",
               folder / "timings", *options(settings)]
    shutil.rmtree(folder / "timings", ignore_errors=True)
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def train(folder, ranks, settings, steps):
    """The fastest step in seconds, and the peak memory of rank 0 in bytes where that is known."""
    run = folder / "run"
    launcher = ["mpirun", "--bind-to", "none", "-n", str(ranks)] if ranks > 1 else []
    process = subprocess.Popen(
        [*launcher, program, "train", folder / "lkdist.yaml", "--output", run, "--quiet", "--resume", "never",
         "--threads", str(max(1, CORES // ranks)), "--max-steps", str(steps), *options(settings)])
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"lkdist train failed with {os.waitstatus_to_exitcode(status)}")
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    seconds = [sum(value for key, value in line["seconds"].items() if key not in ("data", "allreduce_hidden"))
               for line in lines[1:] if "seconds" in line]
    return min(seconds), usage.ru_maxrss * 1024 if ranks == 1 else None


def main(data, steps="8"):
    print(f"{'configuration':64}{'step, s':>9}{'plan':>9}{'off':>7}{'MiB':>8}{'plan':>8}{'off':>7}")
    with tempfile.TemporaryDirectory(prefix="lkdist-plan.") as name:
        folder = pathlib.Path(name)
        subprocess.run([program, "init", data, "-o", folder / "lkdist.yaml"], check=True, capture_output=True)
        for title, (ranks, settings) in CONFIGURATIONS.items():
            # In turns, of which the best count: such machines change their speed from minute to minute.
            rounds = [(train(folder, ranks, settings, int(steps)), plan(folder, ranks, settings)) for _ in range(ROUNDS)]
            seconds, memory = min(trained for trained, _ in rounds)
            forecast = min((planned for _, planned in rounds), key=step_seconds)
            expected = step_seconds(forecast)
            row = f"{title:64}{seconds:9.3f}{expected:9.3f}{100 * (expected / seconds - 1):+6.1f}%"
            if memory:
                peak = forecast["root_peak_bytes"]
                row += f"{memory / 2**20:8.0f}{peak / 2**20:8.0f}{100 * (peak / memory - 1):+6.1f}%"
            print(row, flush=True)


program = os.path.abspath(sys.argv[1])
main(*sys.argv[2:])
