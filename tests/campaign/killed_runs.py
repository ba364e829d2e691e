"""SIGKILL of a random rank, of mpirun, of all at once, or in the middle of a save; then other ranks go on."""

import os
import random
import signal

from attack import Run, Undisturbed, wait_for_instant

from program import HANG, is_alive, shim, wait_until

FULL, QUICK = 1000, 12
EPOCHS = 12


def prepare():
    Undisturbed.make(EPOCHS)


def trials():
    return [(number,) for number in range(FULL)]


def kill_outside(job, chance):
    """At a random instant. @return who was killed"""
    wait_for_instant(job, chance)
    who = chance.choice(("a rank", "mpirun", "all"))
    ranks = job.ranks()
    if job.process.poll() is not None:
        return "nobody: it had ended"
    if who == "all":
        job.kill()
    elif who == "mpirun" or not ranks:
        job.process.kill()
        # Nobody's children now, they are on their own until they notice.
        wait_until(lambda: not any(map(is_alive, ranks)), "the end of the ranks without mpirun", HANG)
        who = "mpirun"
    else:
        try:
            os.kill(chance.choice(ranks), signal.SIGKILL)
        except ProcessLookupError:
            pass
    return who


def trial(folder, number):
    chance = random.Random(number)
    run = Run(folder, EPOCHS)
    killed = []
    try:
        for _ in range(chance.randint(1, 3)):
            ranks = chance.choice((1, 2, 3, 4))
            if chance.random() < 0.5:
                fault = chance.choice(("kill-before", "kill-after"))
                job = run.start(ranks, variables=shim(FILE_SYSTEM_FOLDER=run.path, FILE_SYSTEM_FAULT=fault,
                                                      FILE_SYSTEM_FAULT_AT=chance.randint(1, 200)))
                killed.append("the writer, in a save")
            else:
                job = run.start(ranks)
                killed.append(kill_outside(job, chance))
            if run.wait_for_end(job) == 0 and killed[-1].startswith("the"):
                killed[-1] = "nobody: it had ended"
        run.finish(chance.choice((1, 2, 3, 5)))
    finally:
        run.close()
    return [f"killed {who}" for who in killed]
