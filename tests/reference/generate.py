"""Writes trainings.json and golden.json, from which the tests of mnist-dist know what it should compute.

Everything here is computed in double precision from the definitions in the public headers and the pages, by PyTorch and
NumPy; nothing of the program takes part. The tests need the two files only. To make them again, to the same bytes:

    python3 -m venv VENV && VENV/bin/pip install torch==2.13.0 numpy
    VENV/bin/python tests/reference/generate.py
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from cases import BASE, CASES, DEFAULTS, FIRST_SEEDS, make_dataset, settings_of
from golden import golden_values
from training import Training, Unsafe

SEEDS_TO_TRY = 3000
TOLERANCE = 2e-6     # of the tests
EXACT_ENOUGH = 5e-7  # what single precision may lose here
FAR = 1e-4           # what ignoring a setting must change


def difference(one, other):
    """How far the outcomes of two trainings are apart, in what the tests compare."""
    if one.parameters.size != other.parameters.size or one.steps != other.steps:
        return np.inf
    values = [np.concatenate([outcome.parameters, outcome.average,
                              [value or 0 for epoch in outcome.epochs for value in epoch]]) for outcome in (one, other)]
    return np.abs(values[0] - values[1]).max()


def unnoticed(data, settings, tested, outcome):
    """The settings that a wrong program could ignore without being noticed."""
    found = []
    for name in tested:
        if settings[name] == DEFAULTS[name]:
            sys.exit(f"--{name} has its default")
        training = Training(data, {**settings, name: DEFAULTS[name]})
        training.checks = False
        if difference(training.run(), outcome) < FAR:
            found.append(name)
    return found


def rounding_error(data, settings, outcome):
    return difference(Training(data, settings, torch.float32).run(), outcome)


def find_training(name, data):
    """The first seed with which single precision decides nothing differently, and what comes of it."""
    first = FIRST_SEEDS.get(name, 1)
    tested, _ = CASES[name]
    why = {}
    for seed in range(first, first + SEEDS_TO_TRY):
        settings = settings_of(name, seed)
        try:
            outcome = Training(data, settings).run()
        except Unsafe:
            why["a close decision"] = why.get("a close decision", 0) + 1
            continue
        error = rounding_error(data, settings, outcome)
        ignored = unnoticed(data, settings, tested, outcome) if error < EXACT_ENOUGH else []
        if settings["clip-norm"] > 0 and outcome.clipped in (0, outcome.steps):
            ignored.append("clip-norm")
        if error < EXACT_ENOUGH and not ignored:
            print(f"{name:18} seed {seed}, {outcome.steps} steps, {outcome.clipped} clipped, "
                  f"single precision errs by {error:.1e}", flush=True)
            return settings, outcome
        reason = f"no effect of {ignored}" if ignored else "single precision errs by too much"
        why[reason] = why.get(reason, 0) + 1
    sys.exit(f"{name}: no seed is safe: {why}")


def rounded(values):
    return [round(float(value), 7) for value in values]


def toml(settings):
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())


def case_of(name, data):
    settings, outcome = find_training(name, data)
    # What has its default is left to the program, unless the case is about it.
    given = {key: value for key, value in settings.items() if value != DEFAULTS[key] or key in BASE}
    case = {"name": name, "settings": toml(given), "epochs": outcome.epochs, "parameters": rounded(outcome.parameters)}
    if settings["average"] > 0:
        case["average"] = rounded(outcome.average)
    return case


def write(name, content):
    path = Path(__file__).parent / name
    lists = [f'"{key}": {json.dumps(value, separators=(",", ":"))}' for key, value in content.items()]
    path.write_text("{\n" + ",\n".join(lists) + "\n}\n", encoding="utf-8")
    print(f"{path}: {path.stat().st_size} bytes")


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    data = make_dataset()
    names = sys.argv[1:] or list(CASES)
    cases = [case_of(name, data) for name in names]
    if names != list(CASES):
        return  # a trial
    write("golden.json", golden_values(data))
    write("trainings.json", {
        "height": data.images.shape[1], "width": data.images.shape[2], "classes": data.classes,
        "images": data.images.tobytes().hex(), "labels": data.labels,
        "mean": [float(value) for value in data.mean.reshape(-1)],
        "standard_deviation": [float(value) for value in data.deviation.reshape(-1)],
        "tolerance": TOLERANCE, "cases": cases})


if __name__ == "__main__":
    main()
