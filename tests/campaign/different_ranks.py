"""One rank has another value of one setting, for each setting in turn: nothing trains, and both values are told."""

import tomllib

from attack import Job, Run, Shared, Undisturbed, Wrong, ensure, errors_of

from program import MNIST_DIST

QUICK = 4
EPOCHS = 1
RANKS = 3
OTHER_NAMES = {"activation": "gelu", "optimizer": "adam", "schedule": "cosine", "reduction": "mpi",
               "exchange": "gradients", "products": "openblas", "recipe": "fast", "class-weights": "balanced"}
WHOLE_NUMBERS = ("warmup-steps", "decay-every", "batch-size", "window", "epochs", "shards", "seed", "checkpoint-every")


class Settings:
    """Of an undisturbed run: its config.toml, and the values in it. Made once."""

    text = ""
    values = {}


def prepare():
    Undisturbed.make(EPOCHS)
    run = Run(Undisturbed.folder("settings"), EPOCHS)
    run.finish(None)
    Settings.text = (run.path / "config.toml").read_text(encoding="utf-8")
    Settings.values = tomllib.loads(Settings.text)


def trials():
    # These files are compared by their content, wherever they lie.
    return [(name, rank) for name in Settings.values if name not in ("data", "init-from") for rank in range(1, RANKS)]


def other_value(name):
    value = Settings.values[name]
    if name in OTHER_NAMES:
        return f'"{OTHER_NAMES[name]}"'
    if isinstance(value, list):
        return str([*value, 7])
    return value + 1 if name in WHOLE_NUMBERS else value / 2 or 0.25


def trial(folder, name, rank):
    lines = Settings.text.splitlines()
    same, other = folder / "same.toml", folder / "other.toml"
    same.write_text(Settings.text, encoding="utf-8")
    value = other_value(name)
    other.write_text("\n".join(f"{name} = {value}" if line.startswith(f"{name} =") else line for line in lines),
                     encoding="utf-8")
    commands = [["train", Shared.data, "-o", "run", "--config", other if number == rank else same]
                for number in range(RANKS)]
    words = commands[0] + [word for command in commands[1:] for word in (":", "-np", 1, MNIST_DIST, *command)]
    job = Job(words, 1, folder)
    try:
        job.wait()
        found = errors_of(job)
        told = [f"--{name} is ", f" at rank {rank} on ", str(value)]
        if job.process.returncode != 2 or len(found) != 1 or any(word not in found[0] for word in told):
            raise Wrong(f"{name} = {value}: exit code {job.process.returncode}: {job.output()}{job.errors()}")
        ensure(not (folder / "run").exists(), "a run folder was made")
    finally:
        job.close()
    return ["a different setting was named"]
