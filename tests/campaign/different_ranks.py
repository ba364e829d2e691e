"""One rank has something else than the others: a value of one setting, for each setting in turn; data, a model, a
program, its arithmetic, a command. Nothing trains, and both values are told."""

import tomllib
from pathlib import Path

from attack import Job, Run, Shared, Undisturbed, Wrong, ensure, errors_of

from program import BAD_DATA, MNIST_DIST, USAGE, draw_digits, h5py, pack, sha256

QUICK = 6
EPOCHS = 1
RANKS = 3
OTHER_NAMES = {"activation": "gelu", "optimizer": "adam", "schedule": "cosine", "reduction": "mpi",
               "exchange": "gradients", "products": "openblas", "recipe": "fast", "class-weights": "balanced"}
WHOLE_NUMBERS = ("warmup-steps", "decay-every", "batch-size", "window", "epochs", "shards", "seed", "checkpoint-every")
OTHER_CORE = ["env", "OPENBLAS_CORETYPE=Nehalem"]


class Settings:
    """Of an undisturbed run: its config.toml, and the values in it. Made once."""

    text = ""
    values = {}


class Others:
    """What a rank may have instead. Made once."""

    files = {}  # "data", "model": what all have, and another one
    program = ""
    trials = {}  # by name: what all ranks run, what one of them runs instead, the exit code, and what is told


def prepare():
    Undisturbed.make(EPOCHS)
    folder = Undisturbed.folder("settings")
    run = Run(folder, EPOCHS)
    run.finish(None)
    Settings.text = (run.path / "config.toml").read_text(encoding="utf-8")
    Settings.values = tomllib.loads(Settings.text)
    other_model = Shared.train("other-seed", "--epochs", EPOCHS, "--hidden", "64,32", "--seed", 1) / "model.h5"
    Others.files = {"data": (Shared.data, pack(draw_digits(folder / "others", 1200, 300, "--seed", "5"))),
                    "model": (run.path / "model.h5", other_model)}
    Others.program = other_program(folder / "mnist-dist")
    Others.trials = {name: trial for trials in (with_other_files(), with_other_programs(), with_other_commands())
                     for name, trial in trials.items()}


def other_program(path):
    """A program is known by its build id, of which one byte is changed here."""
    program = bytearray(Path(MNIST_DIST).read_bytes())
    note = program.index(b"GNU\0", program.index(b"\x14\0\0\0\x03\0\0\0GNU\0") + 8)
    program[note + 4] ^= 1
    path.write_bytes(program)
    path.chmod(0o755)
    return path


def command(name, data=0, model=0):
    """@param data, model: which one of the two"""
    words = {"train": ("-o", "run", "--epochs", EPOCHS), "bench": ("--seconds", 0.01),
             "evaluate": ("-m", Others.files["model"][model])}
    return [MNIST_DIST, name, Others.files["data"][data], *words[name]]


def content_of(data):
    with h5py.File(data) as file:
        return file.attrs["content_sha256"].decode()


def with_other_files():
    result = {}
    contents = [content_of(data) for data in Others.files["data"]]
    for name in ("train", "bench", "evaluate"):
        result[f"data, {name}"] = (command(name), command(name, data=1), BAD_DATA, contents)
    result["model, evaluate"] = (command("evaluate"), command("evaluate", model=1), BAD_DATA,
                                 ["the SHA-256 of the model", *map(sha256, Others.files["model"])])
    begin = [command("train") + ["--init-from", model] for model in Others.files["model"]]
    result["model, train --init-from"] = (*begin, BAD_DATA, ["the SHA-256 of the model that --init-from names"])
    return result


def with_other_programs():
    result = {}
    for name in ("train", "bench", "evaluate"):
        same = command(name)
        result[f"program, {name}"] = (same, [Others.program, *same[1:]], USAGE, ["the program is ", "build id"])
    for name in ("train", "bench"):
        same = command(name) + ["--products", "openblas"]
        result[f"arithmetic, {name}"] = (same, OTHER_CORE + same, USAGE, ["the arithmetic", "core Nehalem"])
    return result


def with_other_commands():
    resume = [MNIST_DIST, "train", "--resume", "run"]
    return {"command, train": (command("train"), resume, USAGE, ["train", "train --resume"]),
            "command, bench": (command("bench"), command("train"), USAGE, ["bench", "train"]),
            "command, evaluate": (command("evaluate"), command("bench"), USAGE, ["evaluate", "bench"])}


def trials():
    # These files are compared by their content, wherever they lie.
    settings = [(name, rank) for name in Settings.values if name not in ("data", "init-from")
                for rank in range(1, RANKS)]
    return settings + [(name, rank) for name in Others.trials for rank in range(1, RANKS)]


def other_value(name):
    value = Settings.values[name]
    if name in OTHER_NAMES:
        return f'"{OTHER_NAMES[name]}"'
    if isinstance(value, list):
        return str([*value, 7])
    return value + 1 if name in WHOLE_NUMBERS else value / 2 or 0.25


def with_other_setting(folder, name):
    """As in Others.trials."""
    lines = Settings.text.splitlines()
    same, other = folder / "same.toml", folder / "other.toml"
    same.write_text(Settings.text, encoding="utf-8")
    value = other_value(name)
    other.write_text("\n".join(f"{name} = {value}" if line.startswith(f"{name} =") else line for line in lines),
                     encoding="utf-8")
    begin = [MNIST_DIST, "train", Shared.data, "-o", "run", "--config"]
    return begin + [same], begin + [other], USAGE, [f"--{name} is ", str(value)]


def trial(folder, name, rank):
    is_setting = name in Settings.values
    same, other, exit_code, told = with_other_setting(folder, name) if is_setting else Others.trials[name]
    commands = [other if number == rank else same for number in range(RANKS)]
    words = commands[0][1:] + [word for each in commands[1:] for word in (":", "-np", 1, *each)]
    job = Job(words, 1, folder)
    try:
        job.wait()
        found = errors_of(job)
        told = [*told, " at rank 0 on ", f" at rank {rank} on "]
        if job.process.returncode != exit_code or len(found) != 1 or any(word not in found[0] for word in told):
            raise Wrong(f"{name}: exit code {job.process.returncode}, not {exit_code}, or not all of {told}: "
                        f"{job.output()}{job.errors()}")
        ensure(not (folder / "run").exists(), "a run folder was made")
    finally:
        job.close()
    return [f"{'a setting' if is_setting else name}: both values were told"]
