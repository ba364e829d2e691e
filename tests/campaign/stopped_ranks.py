"""SIGSTOP of a random rank at a random instant, half of them in the start: the others name it and end the job. Only
while MPI itself starts nobody knows the others, and they say that one does not answer: a quarter may come so early."""

import multiprocessing
import os
import random
import re
import signal
import time
from pathlib import Path

from attack import Run, Undisturbed, announced_epochs, ensure, errors_of, wait_until

FULL, QUICK = 200, 4
LIMIT = 3  # seconds; a rank that nobody stopped gives a sign of life in this time on any machine
LIMIT_TO_END = 5  # seconds from the line to the end of all; not wanted of a busy machine
SIDE_BY_SIDE = 16  # nearly all of them wait for the limit
starts = multiprocessing.get_context("fork").Semaphore(3)  # the others
FOREVER = 1000000  # epochs
EPOCHS = 2
TRAINING, KNOWN, EARLY = "training", "the start, when ranks know each other", "the start, as early as can be"


def prepare():
    Undisturbed.make(EPOCHS)


def trials():
    return [(number,) for number in range(FULL)]


def rank_of(pid):
    variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return next(int(value.split(b"=")[1]) for value in variables if value.startswith(b"OMPI_COMM_WORLD_RANK="))


def stop_a_rank(run, where, chance):
    """Of a job that has just begun. @return the job and the rank"""
    job = run.start(chance.choice((2, 3, 4)), "--hang-timeout", LIMIT)
    reached, longest = {TRAINING: (lambda: announced_epochs(job), 0.2),
                        KNOWN: (run.path.exists, 0.02),  # rank 0 makes it when all have read the data
                        EARLY: (job.ranks, 0.5)}[where]
    wait_until(lambda: reached() or job.process.poll() is not None, where)
    time.sleep(longest * chance.random())
    ensure(job.process.poll() is None, job.errors())
    pid = chance.choice(job.ranks())
    rank = rank_of(pid)
    os.kill(pid, signal.SIGSTOP)
    return job, rank


def trial(folder, number):
    run, where = Run(folder, FOREVER), (TRAINING, KNOWN, TRAINING, EARLY)[number % 4]
    try:
        with starts:
            job, rank = stop_a_rank(run, where, random.Random(number))
        wait_until(lambda: "error" in job.errors() or job.process.poll() is not None, "an error")
        told = time.monotonic()
        code = run.wait_for_end(job)
        within_limit = time.monotonic() - told < LIMIT_TO_END
        lines = errors_of(job)
        ensure(code == 5 and len(lines) == 1, f"exit code {code}: {job.errors()}")
        named = re.search(rf": error( \(.*\))?: rank {rank} on \S+ has not come to ", lines[0])
        alone = where == EARLY and "another rank or the network does not answer" in lines[0]
        ensure(named or alone, f"rank {rank} was stopped: {lines[0]}")
        seconds = int(re.search(r" for (\d+) s\b", lines[0])[1])
    finally:
        run.close()
    return [f"stopped in {where}, {'and named' if named else 'and said not to answer'}",
            f"after {'the limit' if seconds < 2 * LIMIT else 'ten times the limit'}",
            f"all gone {'within' if within_limit else 'not within'} {LIMIT_TO_END} s more"]
