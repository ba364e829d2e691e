"""What is compared: how each system is started, and how its figures are read. Needs the standard library only."""

import csv
import dataclasses
import importlib.util
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = HERE.parents[1] / "build"
TIME_LIMIT = 3600  # seconds for one process


@dataclasses.dataclass(frozen=True)
class Problem:
    """What every system trains, and for how long."""

    data: Path
    epochs: int
    hidden: str = "100,100,100"
    batch_size: int = 100

    def options(self):
        """The options that mnist-dist and the peers have in common."""
        return ["--epochs", str(self.epochs), "--hidden", self.hidden, "--batch-size", str(self.batch_size)]


@dataclasses.dataclass(frozen=True)
class Result:
    """What one process measured: seconds and loss of every epoch, what it consists of, and the way that it went."""

    seconds: list
    losses: list
    software: str
    blas: str
    way: str = ""

    def epoch_seconds(self):
        """The median; the first epoch is a warm-up."""
        return statistics.median(self.seconds[1:])


class NotWorking(Exception):
    """A system cannot be measured here. The message, one line, says why."""


@dataclasses.dataclass(frozen=True)
class MnistDist:
    """mnist-dist under mpirun."""

    name: str
    title: str
    ranks: int
    needs: tuple = ()  # Python packages
    remark: str = ""

    def run(self, problem):
        """Trains without a holdout and with one checkpoint; metrics.csv does not count the time that it takes."""
        program = os.environ.get("MNIST_DIST", str(BUILD / "mnist-dist"))
        if shutil.which(program) is None:
            raise NotWorking(f"{program}: no such program")
        BUILD.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=BUILD, prefix="bench-run-") as folder:
            run = Path(folder) / "run"
            output = output_of(["mpirun", "-np", str(self.ranks), program, "train", str(problem.data), "-o", str(run),
                                *problem.options(), "--holdout", "0", "--output-l2", "0", "--window", "1000000",
                                "--min-change", "0", "--checkpoint-every", "1000000"])
            with open(run / "metrics.csv", encoding="utf-8", newline="") as file:
                epochs = list(csv.DictReader(file))
        return Result([float(epoch["seconds"]) for epoch in epochs], [float(epoch["loss"]) for epoch in epochs],
                      f"{output.splitlines()[0]}, {mpi_version()}", re.search(r"BLAS core [^;,\n]+", output)[0])


@dataclasses.dataclass(frozen=True)
class Peer:
    """A script of this folder that prints one line of JSON, see problem.py."""

    name: str
    title: str
    script: str
    options: tuple
    needs: tuple
    remark: str = ""

    def run(self, problem):
        """Runs the script with the Python that runs this one."""
        output = output_of([sys.executable, str(HERE / self.script), *self.options, *problem.options(),
                            str(problem.data)])
        return Result(**json.loads(output.splitlines()[-1]))


def mpi_version():
    """Such as "Open MPI 4.1.4"."""
    return re.sub(r"^mpirun |[()]", "", output_of(["mpirun", "--version"]).splitlines()[0])


def output_of(command):
    """Runs a command and returns what it printed; NotWorking where it fails."""
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT, check=False,
                             stdin=subprocess.DEVNULL)
    except FileNotFoundError as error:
        raise NotWorking(f"{error.filename} is not there") from error
    except subprocess.TimeoutExpired as error:
        raise NotWorking(f"not done after {TIME_LIMIT} s") from error
    if run.returncode != 0:
        raise NotWorking(failure_in(run.stderr) or f"exit code {run.returncode}")
    return run.stdout


def failure_in(stderr):
    """One line that says why a program failed: its own `error:` line, or the exception below the last traceback."""
    lines = [line.rstrip() for line in stderr.splitlines() if line.strip()]
    own = [line for line in lines if "mnist-dist: error:" in line]
    frames = [number for number, line in enumerate(lines) if line.startswith('  File "')]
    exception = [line for line in lines[frames[-1]:] if not line.startswith(" ")] if frames else lines[-1:]
    return (own or exception or [""])[0][:200]


def missing(system):
    """The Python packages that the system needs and that are not there."""
    return [package for package in system.needs if importlib.util.find_spec(package) is None]


def ranks(count, cores):
    """mnist-dist with so many ranks."""
    crowd = f" on {cores} cores" if count > cores else ""
    return MnistDist(f"mnist-dist-{count}", f"mnist-dist, {count} rank{'s' * (count > 1)}{crowd}", count)


def torch(compiled, threads):
    """PyTorch in one process."""
    kind = "compiled" if compiled else "eager"
    options = ("--threads", str(threads), *["--compile"] * compiled)
    return Peer(f"torch-{kind}-{threads}", f"PyTorch, {kind}, {threads} thread{'s' * (threads > 1)}", "peer_torch.py",
                options, ("torch", "h5py"))


def torch_ddp(processes):
    """PyTorch in several processes."""
    return Peer(f"torch-ddp-{processes}", f"PyTorch, DDP with gloo, {processes} processes", "peer_torch_ddp.py",
                ("--processes", str(processes)), ("torch", "h5py"))


def sklearn(threads):
    """scikit-learn, which trains another network."""
    return Peer(f"sklearn-{threads}", f"scikit-learn, {threads} thread{'s' * (threads > 1)}", "peer_sklearn.py",
                ("--threads", str(threads)), ("sklearn", "h5py"),
                "scikit-learn has neither AdaMax nor leaky ReLU nor dropout: it trained with Adam and ReLU.")


def all_systems(cores):
    """Every system, in the order of the table."""
    return [*[ranks(count, cores) for count in (1, 2, 8)],
            *[torch(compiled, threads) for compiled in (False, True) for threads in (1, 2)],
            torch_ddp(2), *[sklearn(threads) for threads in (1, 2)]]
