"""The tables of times: against the peers, of steps, and of what a run and h5pack take besides."""

import csv
import json
import statistics
import subprocess
import sys
import textwrap
import time

from .workshop import ROOT, NotWorking, cores, program

LARGE = "mnist-dist-2,torch-ddp-2"
# title, ranks, options, and whose time a step's is compared with.
STEPS = (
    ("2 ranks", 2, "", 0),
    ("1 rank", 1, "", 0),
    ("8 ranks", 8, "", 0),
    ("2 ranks, `--reduction mpi`", 2, "--reduction mpi", 0),
    ("2 ranks, `--recipe accurate`", 2, "--recipe accurate", 0),
    ("2 ranks, `--batch-size 1000`", 2, "--batch-size 1000", 5),
    ("1 rank, `--batch-size 1000`", 1, "--batch-size 1000", 5),
)
# A process counts as its own the memory of the one that it was forked from: so a small interpreter starts what is
# measured.
MEASURE = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(usage.ru_maxrss / 1024)
sys.exit(os.waitstatus_to_exitcode(status) != 0)
"""
NAMES = ("times", "times-large", "times-steps", "times-run")


def make(workshop, rounds):
    """All tables. rounds: how often everything is measured, in turns; the tables have medians."""
    workshop.pack()
    return {"times": comparison(workshop, rounds),
            "times-large": comparison(workshop, min(rounds, 3), "--large", "--only", LARGE),
            "times-steps": steps(workshop, rounds),
            "times-run": besides(workshop, rounds)}


def comparison(workshop, rounds, *options):
    """What tools/bench/run writes."""
    written = workshop.folder / "comparison.md"
    command = [ROOT / "tools/bench/run", "--rounds", rounds, "--output", written, *options,
               workshop.folder / "mnist.h5"]
    environment = {**workshop.environment, "MNIST_DIST": str(program("MNIST_DIST"))}
    if subprocess.run(list(map(str, command)), env=environment, check=False).returncode != 0:
        raise NotWorking(f"{command[0]} failed")
    text = written.read_text(encoding="utf-8").strip()
    lines = [line if line.startswith(("|", "-")) else textwrap.fill(line, 110, break_on_hyphens=False)
             for line in text.splitlines()]
    return "\n" + "\n".join(lines) + "\n"


def steps(workshop, rounds):
    """The steps of `mnist-dist bench`, which has no epoch's end in them."""
    micros = [[] for _ in STEPS]
    for number in range(1, rounds + 1):
        print(f"steps, round {number}/{rounds}", flush=True)
        for found, (_, ranks, options, _) in zip(micros, STEPS):
            result = json.loads(workshop.output(f"mpirun -np {ranks} mnist-dist bench --json {options}"))
            found.append(1e6 * result["step"]["seconds"])
    machine = result["machine"]
    lines = [f"{cores()}; {machine['build'].rsplit(', ', 1)[0]}, {machine['kernel_vectors']}; "
             f"BLAS core {machine['blas_core']}. Rounds: {rounds}.", "",
             "| `mnist-dist bench` | us / step | times as long |", "|---|---|---|"]
    for found, (title, _, _, reference) in zip(micros, STEPS):
        ratio = statistics.median(own / other for own, other in zip(found, micros[reference]))
        lines.append(f"| {title} | {statistics.median(found):.0f} | {ratio:.2f} |")
    return "\n" + "\n".join(lines) + "\n"


def besides(workshop, rounds):
    """What h5pack takes, and what a run takes beside its epochs."""
    rows = [("`h5pack pack` of the 70,000 PNG files, 2 threads, files in the page cache",
             [measured(workshop, "h5pack", "pack", "digits", "again.h5", "--jobs", "2") for _ in range(rounds)])]
    for epochs in (20, 100):
        rows.append((f"2 ranks, beside their {epochs} epochs",
                     [run_besides(workshop, epochs) for _ in range(rounds)]))
    lines = ["| What | Seconds | MB of memory, the largest process |", "|---|---|---|"]
    for title, found in rows:
        seconds, megabytes = (statistics.median(values) for values in zip(*found))
        lines.append(f"| {title} | {seconds:.2f} | {megabytes:.0f} |")
    return "\n" + "\n".join(lines) + "\n"


def run_besides(workshop, epochs):
    """Seconds of a run without those of its epochs, and memory."""
    seconds, megabytes = measured(workshop, "mpirun", "-np", "2", "mnist-dist", "train", "--epochs", epochs, "--window",
                                  "1000", "--min-change", "0", "-o", "runs/besides")
    with open(workshop.folder / "runs/besides/metrics.csv", encoding="utf-8", newline="") as file:
        in_epochs = sum(float(row["seconds"]) for row in csv.DictReader(file))
    workshop.output("rm -r runs/besides")
    return seconds - in_epochs, megabytes


def measured(workshop, *command):
    """Seconds from a command to its end, and its memory or that of its largest rank."""
    start = time.monotonic()
    megabytes = float(workshop.output([sys.executable, "-S", "-c", MEASURE, *command]))
    return time.monotonic() - start, megabytes
