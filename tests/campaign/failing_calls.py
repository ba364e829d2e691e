"""Each call of MPI that communicates fails on one rank, in turn: the job ends with one line that names the call."""

import os

from attack import BUILD, Run, Shared, Undisturbed, Wrong, ensure, errors_of

os.environ.setdefault("MPI_SHIM", str(BUILD / "tests" / "libmpi_shim.so"))

QUICK = 8
EPOCHS = 2
RANKS = 3
COMMANDS = ("train", "evaluate")


class Calls:
    """Their names, in order, by command and rank. Made once."""

    names = {}
    model = None


def variables_for(rank, **more):
    return {"LD_PRELOAD": os.environ["MPI_SHIM"], "MPI_FAULT_RANK": rank, **more}


def start(folder, command, variables):
    run = Run(folder, EPOCHS)
    if command == "evaluate":
        return run, run.start_program(("evaluate", Shared.data, "-m", Calls.model, "-r", folder / "report.json"), RANKS,
                                      variables=variables)
    return run, run.start(RANKS, variables=variables)


def prepare():
    Undisturbed.make(EPOCHS)
    model = Run(Undisturbed.folder("model"), EPOCHS)
    model.finish(None)
    Calls.model = model.path / "model.h5"
    for command in COMMANDS:
        for rank in range(RANKS):
            folder = Undisturbed.folder(f"{command}-{rank}")
            run, job = start(folder, command, variables_for(rank, MPI_LOG=folder / "log"))
            ensure(run.wait_for_end(job) == 0, job.errors())
            run.close()
            Calls.names[command, rank] = (folder / "log").read_text(encoding="ascii").split()


def trials():
    return [(command, rank, at) for (command, rank), names in Calls.names.items() for at in range(1, len(names) + 1)]


def trial(folder, command, rank, at):
    name = Calls.names[command, rank][at - 1]
    run, job = start(folder, command, variables_for(rank, MPI_FAULT_AT=at))
    try:
        code = run.wait_for_end(job)
        lines = errors_of(job)
        if code != 5 or len(lines) != 1 or name not in lines[0]:
            raise Wrong(f"{name}: exit code {code}: {job.output()}{job.errors()}")
    finally:
        run.close()
    return [f"{command}: {name} failed and was named"]
