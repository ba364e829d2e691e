"""SIGSTOP of a random rank at a random instant, at the start too: the others name it and end the job."""

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
SIDE_BY_SIDE = 16  # nearly all of them wait for the limit
starts = multiprocessing.get_context("fork").Semaphore(3)  # the others
FOREVER = 1000000  # epochs
EPOCHS = 2


def prepare():
    Undisturbed.make(EPOCHS)


def trials():
    return [(number,) for number in range(FULL)]


def rank_of(pid):
    variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return next(int(value.split(b"=")[1]) for value in variables if value.startswith(b"OMPI_COMM_WORLD_RANK="))


def stop_a_rank(run, chance):
    """Of a job that has just begun. @return the job, the rank, and whether the job was in training"""
    job = run.start(chance.choice((2, 3, 4)), "--hang-timeout", LIMIT)
    in_training = chance.random() >= 0.5
    if in_training:
        wait_until(lambda: announced_epochs(job) or job.process.poll() is not None, "an epoch")
        time.sleep(0.2 * chance.random())
    else:
        wait_until(lambda: job.ranks() or job.process.poll() is not None, "a rank")
        time.sleep(0.5 * chance.random())
    ensure(job.process.poll() is None, job.errors())
    pid = chance.choice(job.ranks())
    rank = rank_of(pid)
    os.kill(pid, signal.SIGSTOP)
    return job, rank, in_training


def trial(folder, number):
    run = Run(folder, FOREVER)
    try:
        with starts:
            job, rank, in_training = stop_a_rank(run, random.Random(number))
        code = run.wait_for_end(job)
        lines = errors_of(job)
        ensure(code == 5 and len(lines) == 1, f"exit code {code}: {job.errors()}")
        named = re.search(rf": error( \(.*\))?: rank {rank} on \S+ has not come to ", lines[0])
        # While MPI starts, nobody knows the others.
        alone = not in_training and "another rank or the network does not answer" in lines[0]
        ensure(named or alone, f"rank {rank} was stopped: {lines[0]}")
        seconds = int(re.search(r" for (\d+) s\b", lines[0])[1])
    finally:
        run.close()
    return [f"stopped in {'training' if in_training else 'the start'}{', and named' if named else ''}",
            f"after {'the limit' if seconds < 2 * LIMIT else 'ten times the limit'}"]
