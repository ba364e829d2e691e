"""The table of accuracies: the tutorial's network with each recipe and five seeds; and the large network."""

import csv
import json
import re
import statistics
import time

from .workshop import cores, software

RECIPES = ("seed", "fast", "accurate")
SEEDS = (1, 2, 3, 4, 5)
NAMES = ("accuracy", "accuracy-large")


class Run:
    """One training with a recipe, scored on the test images."""

    def __init__(self, workshop, recipe, seed, ranks):
        folder = f"runs/{recipe}-{seed}"
        start = time.monotonic()
        self.output = workshop.output(f"mpirun -np {ranks} mnist-dist train --recipe {recipe} --seed {seed} "
                                      f"-o {folder}")
        self.seconds = time.monotonic() - start
        workshop.output(f"mnist-dist evaluate --model {folder}")
        with open(workshop.folder / folder / "metrics.csv", encoding="utf-8", newline="") as file:
            self.epochs = len(list(csv.DictReader(file)))
        report = json.loads((workshop.folder / folder / "report.json").read_text(encoding="utf-8"))
        self.percent = 100 * report["exact accuracy"]["accuracy"]
        self.interval = [100 * end for end in report["exact accuracy"]["interval 95%"]]
        print(f"{recipe}, seed {seed}: {self.percent:.2f} %, {self.epochs} epochs, {self.seconds:.1f} s", flush=True)


def span(values):
    """Such as "60" or "36 to 63"."""
    low, high = (f"{end:.0f}" for end in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def row(recipe, runs):
    """One recipe."""
    by_seed = ", ".join(f"{run.percent:.2f}" for run in runs)
    return (f"| {f'`{recipe}`':10} | {span([run.epochs for run in runs]):9} | {by_seed} "
            f"| {statistics.median(run.percent for run in runs):.2f}  "
            f"| {span([run.seconds for run in runs])} |")


def circumstances(run, ranks):
    """On what a run was made, and by what."""
    return f"{ranks} rank{'s' * (ranks > 1)} on {cores()}; {software(run.output)}"


def make(workshop, ranks):
    """The table of the tutorial's network."""
    workshop.pack()
    rows, runs = [], []
    for recipe in RECIPES:
        runs = [Run(workshop, recipe, seed, ranks) for seed in SEEDS]
        rows.append(row(recipe, runs))
    lines = [f"Seeds {SEEDS[0]} to {SEEDS[-1]}; seconds from the command to its end, with",
             f"{circumstances(runs[-1], ranks)}.", "",
             "| Recipe     | Epochs    | Test accuracy by seed, %          | Median | Seconds |",
             "|------------|-----------|-----------------------------------|--------|---|", *rows]
    return {"accuracy": "\n" + "\n".join(lines) + "\n"}


def make_large(workshop, ranks):
    """The sentence about the large network, with one seed."""
    workshop.pack()
    run = Run(workshop, "large", SEEDS[0], ranks)
    low, high = run.interval
    network = re.search(r"^network +(\S+),", run.output, re.MULTILINE)[1]
    return {"accuracy-large": f"\n`large`, {network}, {run.epochs} epochs, seed {SEEDS[0]}: {run.percent:.2f} % "
                              f"(95 % interval {low:.2f} to {high:.2f}),\n{run.seconds / 60:.1f} minutes with "
                              f"{circumstances(run, ranks)}.\n"}
