"""Two that want one folder at the same time: two runs, two resumes, a run and a resume. Exactly one goes on."""

import random
import time

from attack import Run, Undisturbed, announced_epochs, ensure, errors_of, result_of, wait_until

FULL, QUICK = 500, 8
BEGUN, EPOCHS = 1, 8


def prepare():
    Undisturbed.make(EPOCHS)


def trials():
    return [(number,) for number in range(FULL)]


def trial(folder, number):
    chance = random.Random(number)
    kind = chance.choice(("two runs", "two resumes", "a run and a resume"))
    run = Run(folder, EPOCHS)
    try:
        if kind != "two runs":
            begun = Run(folder, BEGUN)
            run.jobs.append(begun.start(None))
            ensure(begun.jobs[0].wait().returncode == 0, begun.jobs[0].errors())
        jobs = []
        for contender in range(2):
            afresh = kind == "two runs" or (kind == "a run and a resume" and contender == 0)
            jobs.append(run.start(chance.choice((None, None, 2)), afresh=afresh))
            time.sleep(chance.choice((0, 0.01, 0.1)) * chance.random())
        codes = [job.wait().returncode for job in jobs]
        refused = [job for job, code in zip(jobs, codes) if code != 0]
        told = [line for job in refused for line in errors_of(job)]
        # A second resume may come after the first has ended, and then finds nothing to do.
        ensure(not announced_epochs(jobs[0]) & announced_epochs(jobs[1]), "both trained the same epochs")
        ensure(len(refused) <= 1 and len(told) == len(refused), f"codes {codes}: {told}")
        ensure(all("is being written by process" in line or "already holds a run" in line for line in told), told)
        ensure(kind != "two runs" or len(refused) == 1, "both runs went on")
        wait_until((run.path / "model.h5").exists, "the model")
        ensure(result_of(run.path) == Undisturbed.results[EPOCHS], "it ends in other bits")
    finally:
        run.close()
    return [f"{kind}: {'one was refused' if refused else 'one after the other'}"]
