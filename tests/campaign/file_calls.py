"""Every call of a start, of saves and of a resume that concerns the run folder, in turn: SIGKILL before and after it,
and each error that a file system can give, once and for good."""

import os
import shutil
import signal

from attack import Run, Undisturbed, Wrong, ensure, errors_of

from program import shim

QUICK = 24
EPOCHS = {"begin": 2, "go on": 4}
ERRORS = ("ENOSPC", "EDQUOT", "EIO", "EROFS")
WITHOUT_EFFECT = ("EINTR", "short")


class Begun:
    """A run that has done the first epochs, and how many calls each part of a run makes. Made once."""

    path = None
    calls = {}  # (part, ranks): number


def prepare():
    Undisturbed.make(*EPOCHS.values())
    folder = Undisturbed.folder("file-calls")
    run = Run(folder, EPOCHS["begin"], "begun")
    run.finish(1)
    Begun.path = run.path
    for ranks in (1, 2, 4):
        for part in EPOCHS:
            Begun.calls[part, ranks] = count_calls(folder, part, ranks)


def count_calls(folder, part, ranks):
    """Of the rank that writes: rank 0."""
    log = folder / f"{part}-{ranks}.log"
    run = begin(folder, part)
    job = run.start(ranks, variables=shim(FILE_SYSTEM_FOLDER=os.path.realpath(run.path), FILE_SYSTEM_LOG=log))
    ensure(run.wait_for_end(job) == 0, job.errors())
    run.close()
    shutil.rmtree(run.path)
    return sum(line.startswith("call\t") for line in log.read_text(encoding="utf-8").splitlines())


def begin(folder, part):
    run = Run(folder, EPOCHS[part])
    if part == "go on":
        shutil.copytree(Begun.path, run.path)
    return run


def trials():
    kills = [(part, ranks, kind, at) for (part, ranks), calls in Begun.calls.items()
             for kind in ("kill-before", "kill-after") for at in range(1, calls + 1)]
    errors = [(part, 1, kind, f"{at}{good}") for part in EPOCHS for at in range(1, Begun.calls[part, 1] + 1)
              for kind in ERRORS for good in ("", "+")]
    # The other ranks are told.
    errors += [(part, 2, "ENOSPC", at) for part in EPOCHS for at in range(1, Begun.calls[part, 2] + 1)]
    # What is interrupted for good never gets done.
    harmless = [(part, 1, kind, at) for part in EPOCHS for at in range(1, Begun.calls[part, 1] + 1)
                for kind in WITHOUT_EFFECT]
    return kills + errors + harmless


def trial(folder, part, ranks, kind, at):
    run = begin(folder, part)
    try:
        job = run.start(ranks if ranks > 1 else None,
                        variables=shim(FILE_SYSTEM_FOLDER=os.path.realpath(run.path), FILE_SYSTEM_FAULT=kind,
                                       FILE_SYSTEM_FAULT_AT=at))
        code = run.wait_for_end(job)
        outcome = judge(kind, code, job)
        run.finish(2 if ranks == 1 else None)
    finally:
        run.close()
    return [outcome]


def judge(kind, code, job):
    """@return what became of the job, in a few words"""
    if kind.startswith("kill"):
        return "killed" if code in (-signal.SIGKILL, 128 + signal.SIGKILL) else "not killed: no such call this time"
    if code == 0:
        return "without effect" if kind in WITHOUT_EFFECT else "an error without effect"
    texts = {"ENOSPC": "No space left", "EDQUOT": "quota exceeded", "EIO": "Input/output error", "EROFS": "Read-only"}
    lines = errors_of(job)
    if kind in WITHOUT_EFFECT or code != 4 or len(lines) != 1 or texts[kind] not in lines[0]:
        raise Wrong(f"exit code {code}: {job.errors()}")
    return "a named error"
