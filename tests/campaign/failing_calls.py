"""Each call of MPI that communicates fails on one rank, in turn, on one host and on two: the job ends with one line
that names the call. (Two hosts take root's rights and iproute2; without these they are left out.)"""

import collections
import contextlib
import os
import sys

from attack import BUILD, ROOT, Run, Shared, Undisturbed, Wrong, ensure, errors_of

sys.path.insert(0, str(ROOT / "tests" / "cluster"))
from hosts import Hosts, NotHere  # noqa: E402  pylint: disable=wrong-import-position

os.environ.setdefault("MPI_SHIM", str(BUILD / "tests" / "libmpi_shim.so"))

QUICK = 8
EPOCHS = 2
LAYOUT = (2, 1)  # ranks of each host, where there are two
RANKS = sum(LAYOUT)
ON_ONE_HOST = ("train", "evaluate")
# What hosts send each other; "auto" measures the link first. Few steps, since each one has many calls.
ON_TWO_HOSTS = ("auto", "gradients", "activations")
FEW_STEPS = ("--epochs", 1, "--batch-size", 600, "--hidden", "64,32")


class Calls:
    """Their names, in order, by kind of job and rank. Made once."""

    names = {}
    model = None


@contextlib.contextmanager
def started(folder, kind, rank, **more):
    """A job with the shim on one rank. @return the run and the job"""
    run = Run(folder, EPOCHS)
    variables = {"LD_PRELOAD": os.environ["MPI_SHIM"], "MPI_FAULT_RANK": rank, **more}
    with contextlib.ExitStack() as stack:
        stack.callback(run.close)
        if kind == "train":
            job = run.start(RANKS, variables=variables)
        elif kind == "evaluate":
            words = ("evaluate", Shared.data, "-m", Calls.model, "-r", folder / "report.json")
            job = run.start_program(words, RANKS, variables=variables)
        else:
            hosts = stack.enter_context(Hosts(len(LAYOUT)))
            launcher = [hosts.mpirun, *hosts.layout(*LAYOUT)]
            for name, value in variables.items():
                launcher += ["-x", f"{name}={value}"]
            words = ("train", Shared.data, "-o", run.path, "--exchange", kind, *FEW_STEPS)
            job = run.start_program(words, launcher)
        yield run, job


def prepare():
    Undisturbed.make(EPOCHS)
    model = Run(Undisturbed.folder("model"), EPOCHS)
    model.finish(None)
    Calls.model = model.path / "model.h5"
    kinds = [*ON_ONE_HOST]
    try:
        with Hosts(len(LAYOUT)):
            kinds += ON_TWO_HOSTS
    except NotHere as reason:
        print(f"failing_calls: left out on two hosts: {reason}")
    for kind in kinds:
        for rank in range(RANKS):
            folder = Undisturbed.folder(f"{kind}-{rank}")
            with started(folder, kind, rank, MPI_LOG=folder / "log") as (run, job):
                ensure(run.wait_for_end(job) == 0, job.errors())
            Calls.names[kind, rank] = (folder / "log").read_text(encoding="ascii").split()


def trials():
    result = []
    for (kind, rank), names in Calls.names.items():
        for name, number in collections.Counter(names).items():
            # How often a rank asks whether messages have come depends on the time: half as often is sure.
            number = (number + 1) // 2 if name == "MPI_Testall" else number
            result += [(kind, rank, name, at) for at in range(1, number + 1)]
    return result


def trial(folder, kind, rank, name, at):
    log = folder / "log"
    where = f"{kind}, 1 host" if kind in ON_ONE_HOST else f"train --exchange {kind}, 2 hosts"
    with started(folder, kind, rank, MPI_FAULT_CALL=name, MPI_FAULT_AT=at, MPI_LOG=log) as (run, job):
        code = run.wait_for_end(job)
        lines = errors_of(job)
        # By the link that it measures, "auto" chooses one exchange or the other.
        if kind == "auto" and code == 0 and log.read_text(encoding="ascii").split().count(name) < at:
            return [f"{where}: no such call this time"]
        if code != 5 or len(lines) != 1 or name not in lines[0]:
            raise Wrong(f"{name}: exit code {code}: {job.output()}{job.errors()}")
    return [f"{where}: {name} failed and was named"]
