"""Trainings that differ in a few settings, and the Dice each ends with, for the comparisons of bench-*.py."""
import json
import resource
import statistics
import subprocess


def processor_seconds():
    """Of all programs this one has run."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def metrics(run):
    """The lines of a run's metrics.jsonl; none if it has not begun."""
    file = run / "metrics.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def final_dice(run, epochs):
    """Mean foreground Dice of the validation after the last epoch, or None if it was not reached."""
    scores = [line["dice"] for line in metrics(run) if "dice" in line and line["epoch"] == epochs]
    return statistics.mean(scores[-1].values()) if scores else None


def write_configuration(program, data, file):
    subprocess.run([program, "init", data, "-o", file], check=True, capture_output=True)


def train(program, configuration, run, epochs, settings, seed, threads=None, ranks=1):
    """Trains for some epochs with one validation at the end, unless that was done before.

    Returns the mean foreground Dice of fold 0 and the processor seconds of all ranks."""
    if final_dice(run, epochs) is None:
        launcher = ["mpirun", "--bind-to", "none", "-n", str(ranks)] if ranks > 1 else []
        settings = {"training.epochs": epochs, "training.validateEvery": epochs,
                    "distributed.timeoutSeconds": 86400, **settings}
        options = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        options += ["--threads", str(threads)] if threads else []
        before = processor_seconds()
        subprocess.run([*launcher, program, "train", configuration, "--output", run, "--quiet",
                        "--seed", str(seed), *options], check=True)
        seconds = processor_seconds() - before
    else:
        seconds = 0
    return final_dice(run, epochs), seconds
