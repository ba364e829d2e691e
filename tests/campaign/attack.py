"""What the campaigns share: a run that is disturbed, goes on with other numbers of ranks, and must end as one that
nobody disturbed."""

import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
os.environ.setdefault("MNIST_DIST", str(BUILD / "mnist-dist"))
os.environ.setdefault("H5PACK", str(BUILD / "h5pack"))
os.environ.setdefault("MPIEXEC", "mpirun")
os.environ.setdefault("FILE_SYSTEM_SHIM", str(BUILD / "tests" / "libfile_system_shim.so"))
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

# pylint: disable=wrong-import-position
from program import (DONE, ENDLESS, HANG, Job, Shared, error_lines, is_alive, read_manifest, read_metrics, sha256,
                     wait_until, without_times)

EARLY_EPOCHS = 4  # in which a run is disturbed

# Long enough for a disturbance to find it at work.
OPTIONS = ("--hidden", "64,32", "--batch-size", "5", "--checkpoint-every", "1", *ENDLESS)


class Wrong(Exception):
    """A promise was broken."""


def ensure(condition, what):
    if not condition:
        raise Wrong(what)


class Undisturbed:
    """What the runs below must end in. Made once."""

    results = {}  # by the number of epochs

    @staticmethod
    def folder(name):
        """A folder that lives as long as the campaign."""
        path = Shared.folder / name
        path.mkdir()
        return path

    @classmethod
    def make(cls, *numbers_of_epochs):
        if Shared.folder is None:
            Shared.make()
        for epochs in set(numbers_of_epochs) - set(cls.results):
            cls.results[epochs] = result_of(Shared.train(f"undisturbed-{epochs}", "--epochs", epochs, *OPTIONS))


def result_of(run):
    return sha256(run / "model.h5"), without_times(read_metrics(run))


def announced_epochs(job):
    """The epochs of training whose end rank 0 has told."""
    if job.arguments[0] != "train":
        return set()
    rows = [line.split() for line in job.output().splitlines()]
    return {int(row[0]) for row in rows if len(row) > 5 and row[0].isdigit()}


def wait_for_instant(job, chance):
    """A random one: while the job starts, or somewhere in its first epochs. @return whether it has done no more than
    those"""
    if chance.random() < 0.3:
        time.sleep(chance.uniform(0, 0.6))
    else:
        epochs = chance.randrange(EARLY_EPOCHS)
        wait_until(lambda: job.process.poll() is not None or len(announced_epochs(job)) >= epochs, "an epoch")
        time.sleep(chance.uniform(0, 0.03))
    return job.process.poll() is None and len(announced_epochs(job)) <= EARLY_EPOCHS


def epochs_on_disk(run):
    """Of the newest checkpoint that is whole, by the manifest; 0 when there is none."""
    if not (run / "checkpoints" / "manifest.json").exists():
        return 0
    whole = [entry["epoch"] for entry in read_manifest(run)["checkpoints"]
             if sha256(run / "checkpoints" / entry["file"]) == entry["sha256"]]
    return max(whole, default=0)


def errors_of(job):
    """The lines of a job that has ended."""
    return error_lines(job.wait())


class Run:
    """A run of so many epochs in a folder of its own."""

    def __init__(self, folder, epochs, name="run"):
        self.folder, self.epochs, self.path = folder, epochs, folder / name
        self.jobs = []

    def start_program(self, arguments, ranks, **more):
        self.jobs.append(Job(arguments, ranks, self.folder, **more))
        return self.jobs[-1]

    def start(self, ranks, *options, afresh=None, **more):
        """Begins it, or goes on with it where it has begun (and afresh does not say otherwise)."""
        begin = (Shared.data, "-o", self.path, "--epochs", self.epochs, *OPTIONS)
        go_on = ("--resume", self.path, "--epochs", self.epochs)
        if afresh is None:
            afresh = not (self.path / "config.toml").exists()
        return self.start_program(("train", *(begin if afresh else go_on), *options), ranks, **more)

    def wait_for_end(self, job):
        """Of the job and all that it started. What it announced must be on the disk."""
        pids = job.ranks()
        try:
            job.process.wait(HANG)
            wait_until(lambda: not any(map(is_alive, pids)), "the end of all ranks", HANG)
        except Exception as error:
            raise Wrong(f"it hangs: {job.output()}{job.errors()}") from error
        announced, found = max(announced_epochs(job), default=0), epochs_on_disk(self.path)
        ensure(found >= announced, f"epoch {announced} was announced, and epoch {found} is on the disk")
        return job.process.returncode

    def finish(self, ranks):
        """Undisturbed from here on; it must end as if it had never been otherwise."""
        job = self.start(ranks)
        code = self.wait_for_end(job)
        ensure(code == DONE, f"exit code {code}: {job.output()}{job.errors()}")
        ensure(result_of(self.path) == Undisturbed.results[self.epochs], "it ends in other bits")
        left = [str(path) for path in self.path.rglob("*.partial")]
        ensure(not left, f"left behind: {left}")

    def close(self):
        for job in self.jobs:
            job.close()
