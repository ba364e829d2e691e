"""Every call of a start, of saves and of a resume that concerns the run folder, in turn: SIGKILL before and after it,
and each error that a file system can give, once and for good: the run names it and ends, but at calls that it can do
without."""

import os
import re
import shutil
import signal

from attack import Run, Undisturbed, Wrong, ensure, errors_of

from program import shim, warning_lines

QUICK = 24
EPOCHS = {"begin": 2, "go on": 4}
TEXTS = {"ENOSPC": "No space left", "EDQUOT": "quota exceeded", "EIO": "Input/output error", "EROFS": "Read-only"}
WITHOUT_EFFECT = ("EINTR", "short")

# The calls that may fail in a run that ends with 0, as the shim names them: name, a tab, and the path from the run's
# parent folder on. First those of which nobody needs to hear:
NOT_MISSED = (
    # Opened to be flushed, and fsync has told that it was.
    r"close\t(run|run/checkpoints)",
    # They were only read. (A file that is written has no name of its own when it is closed.)
    r"close\trun/(config\.toml|checkpoints/(manifest\.json|step-\d+\.h5))",
    # The last call of all. Its text is for those whom the lock keeps out, and Linux lets the lock go all the same.
    r"close\trun/\.lock",
    # Left by a process that died. Where it cannot be removed, what is made under its name fails.
    r"unlink\truns/\.latest\.\w+\.partial",
    # A checkpoint that the manifest no longer names. It is tried again after the next one.
    r"unlink\trun/checkpoints/step-\d+\.h5",
)
# Then those that a warning tells:
WARNED_OF = (
    # The link to the newest run: no file of the run itself.
    r"mkdir\truns", r"(symlink|rename)\truns/(\.latest\.\w+\.partial|latest)",
    # A resume takes the checkpoint before this one.
    r"(open|read)\trun/checkpoints/step-\d+\.h5",
)


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
              for kind in TEXTS for good in ("", "+")]
    # The other ranks are told.
    errors += [(part, 2, "ENOSPC", at) for part in EPOCHS for at in range(1, Begun.calls[part, 2] + 1)]
    # What is interrupted for good never gets done.
    harmless = [(part, 1, kind, at) for part in EPOCHS for at in range(1, Begun.calls[part, 1] + 1)
                for kind in WITHOUT_EFFECT]
    return kills + errors + harmless


def trial(folder, part, ranks, kind, at):
    run, log = begin(folder, part), folder / "log"
    try:
        job = run.start(ranks if ranks > 1 else None,
                        variables=shim(FILE_SYSTEM_FOLDER=os.path.realpath(run.path), FILE_SYSTEM_FAULT=kind,
                                       FILE_SYSTEM_FAULT_AT=at, FILE_SYSTEM_LOG=log))
        code = run.wait_for_end(job)
        outcome = judge(kind, code, job, struck_calls(log, folder))
        run.finish(2 if ranks == 1 else None)
    finally:
        run.close()
    return [outcome]


def struck_calls(log, folder):
    lines = log.read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("struck\t").replace(f"{os.path.realpath(folder)}/", "")
            for line in lines if line.startswith("struck\t")]


def judge(kind, code, job, struck):
    """@return what became of the job, in a few words"""
    if kind.startswith("kill"):
        return "killed" if code in (-signal.SIGKILL, 128 + signal.SIGKILL) else "not killed: no such call this time"
    ensure(struck, "no call was struck")
    if kind in WITHOUT_EFFECT:
        ensure(code == 0, f"{struck}: exit code {code}: {job.errors()}")
        return f"{kind} without effect"
    if code == 0:
        return judge_success(TEXTS[kind], job, struck)
    lines = errors_of(job)
    if code != 4 or len(lines) != 1 or TEXTS[kind] not in lines[0]:
        raise Wrong(f"{struck}: exit code {code}: {job.errors()}")
    return "an error, named"


def judge_success(text, job, struck):
    warned = [call for call in struck if any(re.fullmatch(pattern, call) for pattern in WARNED_OF)]
    needed = [call for call in struck
              if call not in warned and not any(re.fullmatch(pattern, call) for pattern in NOT_MISSED)]
    ensure(not needed, f"exit code 0, though these failed: {needed}: {job.errors()}")
    told = any(text in line for line in warning_lines(job.wait()))
    ensure(told or not warned, f"no warning tells that these failed: {warned}: {job.errors()}")
    return "an error at a call that the run can do without" + (", and a warning" if warned else "")
