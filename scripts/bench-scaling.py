"""Prints how training steps scale from 1 rank to 2, for lkdist and for PyTorch DDP with gloo.

    python scripts/bench-scaling.py LKDIST PATCH STEPS [HOSTS MPIRUN...]     as scripts/bench-scaling.sh does
"""
import json
import os
import statistics
import subprocess
import sys


def lkdist(program, patch, steps, launcher, *options):
    """Seconds of a step, and the last line of several ranks."""
    words = [*launcher, program, "bench", "step", "--patch", patch, "--threads", "1", "--steps", steps, *options]
    run = subprocess.run(words, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"{' '.join(words)}: {run.stderr.strip()}")
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    if "ranks" in lines[-1]:
        return lines[-1]["step_s"], lines[-1]
    return statistics.median(line["step_s"] for line in lines[1:]), None


def torch_rank(patch, steps):
    """One rank: prints the median of the slowest rank's steps, after one that is not timed."""
    import torch
    import torch.distributed as dist

    from twin_step import TwinStep
    dist.init_process_group("gloo")
    step = TwinStep(patch, 1, "mid", wrap=torch.nn.parallel.DistributedDataParallel)
    seconds = []
    for _ in range(int(steps) + 1):
        dist.barrier()
        slowest = torch.tensor(step.run())
        dist.all_reduce(slowest, dist.ReduceOp.MAX)
        seconds.append(slowest.item())
    if dist.get_rank() == 0:
        print(json.dumps([statistics.median(seconds[1:]), torch.__version__]))
    dist.destroy_process_group()


def torch_ranks(ranks, patch, steps):
    environment = dict(os.environ, MASTER_ADDR="127.0.0.1", MASTER_PORT="29533", WORLD_SIZE=str(ranks))
    processes = [
        subprocess.Popen([sys.executable, __file__, "rank", patch, steps], env=dict(environment, RANK=str(rank)),
                         stdout=subprocess.PIPE, text=True) for rank in range(ranks)]
    outputs = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        sys.exit(f"PyTorch with {ranks} ranks failed")
    return json.loads(outputs[0])


def row(name, seconds, single=None, line=None):
    kept = f"{single / seconds:8.1%}" if single else " " * 8
    hidden = f"{line['allreduce_alone_s']:9.2f} s {line['hidden']:8.1%}" if line else ""
    print(f"  {name:44} {seconds:7.2f} s {kept} {hidden}", flush=True)


def main():
    if sys.argv[1] == "rank":
        return torch_rank(*sys.argv[2:])
    program, patch, steps, *hosts = sys.argv[1:]
    print(f"training step, mid, patch {patch}, 1 thread a rank; speed of a rank kept; allreduce alone, hidden")
    if hosts:
        for compression in "none", "bf16":
            seconds, line = lkdist(program, patch, steps, hosts[1:], "--compression", compression)
            row(f"lkdist, {hosts[0]}, {compression}", seconds, None, line)
        return
    mpirun = ["mpirun", "--bind-to", "none", "-n"]
    one, _ = lkdist(program, patch, steps, [])
    row("lkdist, 1 rank", one)
    two, line = lkdist(program, patch, steps, [*mpirun, "2"])
    row("lkdist, 2 ranks", two, one, line)
    single, version = torch_ranks(1, patch, steps)
    row(f"PyTorch {version} DDP gloo, 1 rank", single)
    double, _ = torch_ranks(2, patch, steps)
    row("PyTorch DDP gloo, 2 ranks", double, single)
    print(f"  with 2 ranks lkdist is {double / two:.2f} times as fast")


main()
