"""SIGSTOP of a random rank at a random instant, at the start too: the others name it and end the job."""

import os
import random
import re
import signal
import time
from pathlib import Path

from attack import Run, Undisturbed, ensure, errors_of

FULL, QUICK = 200, 4
LIMIT = 5  # seconds; a rank that nobody stopped gives a sign of life in this time on any machine
FOREVER = 1000000  # epochs
EPOCHS = 2


def prepare():
    Undisturbed.make(EPOCHS)


def trials():
    return [(number,) for number in range(FULL)]


def rank_of(pid):
    variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return next(int(value.split(b"=")[1]) for value in variables if value.startswith(b"OMPI_COMM_WORLD_RANK="))


def trial(folder, number):
    chance = random.Random(number)
    run = Run(folder, FOREVER)
    try:
        job = run.start(chance.choice((2, 3, 4)), "--hang-timeout", LIMIT)
        while not job.ranks():
            ensure(job.process.poll() is None, job.errors())
            time.sleep(0.01)
        time.sleep(chance.choice((0.2, 3)) * chance.random())
        pid = chance.choice(job.ranks())
        rank = rank_of(pid)
        os.kill(pid, signal.SIGSTOP)
        code = run.wait_for_end(job)
        lines = errors_of(job)
        ensure(code == 5 and len(lines) == 1, f"exit code {code}: {job.errors()}")
        # Before MPI has started, nobody knows the others.
        in_start = "waits in the start of MPI" in lines[0]
        ensure(in_start or re.search(rf": error( \(.*\))?: rank {rank} on \S+ has not come to ", lines[0]),
               f"rank {rank} was stopped: {lines[0]}")
        seconds = int(re.search(r" for (\d+) s\b", lines[0])[1])
        kind = "before MPI had started" if in_start else "and named"
    finally:
        run.close()
    return [f"stopped {kind}", f"after {'the limit' if seconds < 2 * LIMIT else 'ten times the limit'}"]
