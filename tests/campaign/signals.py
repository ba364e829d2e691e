"""SIGTERM, SIGINT, SIGUSR1, SIGUSR2 or SIGHUP at random instants, once or twice, during the start and saves too: the
run stops with a checkpoint and code 75, or ends clearly, and goes on later."""

import os
import random
import signal
import time

from attack import Run, Undisturbed, announced_epochs, ensure, wait_for_instant, wait_until

from program import DONE, HANG, STOPPED_EARLY, is_alive

FULL, QUICK = 500, 8
EPOCHS = 12
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP)
FORWARDED = (signal.SIGUSR1, signal.SIGUSR2)  # by mpirun, which ends its ranks within a second for the others


def take_signals():
    """For a program to be: what runs in the background or under nohup ignores some of them."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_DFL)


def prepare():
    Undisturbed.make(EPOCHS)


def trials():
    return [(number,) for number in range(FULL)]


def trial(folder, number):
    chance = random.Random(number)
    ranks = chance.choice((None, None, 2, 3))
    sent = chance.choice(SIGNALS if ranks is None else FORWARDED)
    run = Run(folder, EPOCHS)
    try:
        job = run.start(ranks, preexec=take_signals)
        if ranks is not None:  # mpirun itself dies of a signal that comes before it can forward it
            wait_until(lambda: job.ranks() or job.process.poll() is not None, "a rank")
        wait_for_instant(job, chance)
        began = time.monotonic()
        in_start = "\nrun " not in job.output()
        must_stop = False
        for _ in range(chance.randint(1, 2)):
            if job.process.poll() is None:
                os.kill(job.process.pid, sent)
                # Looked at when it is sent: so far from the end it must be heard, in the start too.
                must_stop |= len(announced_epochs(job)) < EPOCHS - 1
            time.sleep(chance.choice((0, 0.01, 0.1)))
        # mpirun itself takes a second or two more.
        wait_until(lambda: not any(map(is_alive, job.ranks())), "the end of all ranks", HANG)
        seconds = time.monotonic() - began
        code = run.wait_for_end(job)
        # A second signal may meet mpirun when its ranks have ended already, and ends it alone.
        if ranks is not None and code == -sent:
            code = STOPPED_EARLY if "checkpoint saved" in job.output() else DONE if "model  " in job.output() else code
        if code == STOPPED_EARLY:
            ensure("--resume" in job.output() and "stopped on request" in job.output(), job.output())
            outcome = f"stopped within {'a second' if seconds < 1 else 'more'}"
        elif code == DONE:
            ensure(not must_stop, f"{sent.name}: the run went on to its end")
            outcome = "had ended"
        else:
            # Before the program's first line of its own, a signal does what it does to any program.
            begun = (run.path / "config.toml").exists()
            ensure(not begun and code in (-sent, 128 + sent), f"{sent.name}: code {code}: {job.output()}{job.errors()}")
            outcome = "ended by the signal before it began"
        run.finish(chance.choice((None, 2, 3)))
    finally:
        run.close()
    return [f"{'alone' if ranks is None else 'mpirun'}{', in the start' if in_start else ''}: {outcome}"]
