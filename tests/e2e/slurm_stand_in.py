"""Does for the scripts of jobs/ what sbatch, srun and scontrol would do, without Slurm; and what their tests share."""

import argparse
import hashlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import runner

JOBS = Path(__file__).resolve().parents[2] / "jobs"
SCRIPTS = ("train.sbatch", "scaling.sbatch", "sweep.sbatch")
PROGRAMS = {name: os.environ.get(name, "") for name in ("MNIST_DIST", "H5PACK", "MPIEXEC")}
JOB = "4711"
DATA = {}  # "mnist.h5": the data set that all tests of a file share
PATIENCE = 900  # seconds: only what hangs takes as long


def write_program(path, text):
    path.write_text(text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def script_options(script):
    """What sbatch reads: the #SBATCH lines above the first command. Second, those below it, which it never sees."""
    read, overlooked, commands = [], [], False
    for line in script.read_text(encoding="utf-8").splitlines():
        if line.startswith("#SBATCH"):
            (overlooked if commands else read).append(line.split(maxsplit=1)[1])
        elif line.strip() and not line.startswith("#"):
            commands = True
    return read, overlooked


def sbatch_parser():
    """The part of sbatch's command line that the scripts use; any other option is an error."""
    parser = argparse.ArgumentParser(exit_on_error=False, allow_abbrev=False)
    parser.add_argument("--job-name")
    parser.add_argument("--ntasks", type=int)
    parser.add_argument("--cpus-per-task", type=int)
    parser.add_argument("--array")
    parser.add_argument("--time")
    parser.add_argument("--exclusive", action="store_true")
    parser.add_argument("--requeue", action="store_true")
    parser.add_argument("--signal")
    parser.add_argument("--open-mode", choices=("append", "truncate"))
    return parser


class Slurm:
    """Starts scripts as sbatch would: a copy of the script, in the submit folder, with Slurm's variables."""

    def __init__(self, folder):
        self.folder = folder
        self.log = folder / "calls.log"
        self.log.touch()
        self.spool = folder / "spool"
        self.spool.mkdir()
        self.shims = folder / "shims"
        self.shims.mkdir()
        write_program(self.shims / "scontrol", f'''#!/bin/sh
if [ "$1" = show ]; then
  printf '   JobState=%s Reason=None\\n' "$JOB_STATE"
  printf '   RunTime=00:00:01 TimeLimit=%s TimeMin=N/A\\n' "$TIME_LIMIT"
  printf '   PreemptEligibleTime=2026-01-01T00:00:00 PreemptTime=%s\\n' "$PREEMPT_TIME"
else
  echo "scontrol $*" >>"{self.log}"
fi
''')
        # srun --mpi=pmix --cpus-per-task=1 --ntasks N PROGRAM ...
        write_program(self.shims / "srun", f'#!/bin/sh\necho "srun $*" >>"{self.log}"\n'
                      f'shift 3\nexec "{PROGRAMS["MPIEXEC"]}" -np "$@"\n')
        (self.shims / "mpirun").symlink_to(PROGRAMS["MPIEXEC"])

    def calls(self):
        return self.log.read_text(encoding="utf-8").splitlines()

    def start(self, script, *arguments, tasks=2, restarts=0, array_task=None, **variables):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
        environment.update(
            PATH=f"{self.shims}:/usr/bin:/bin", MNIST_DIST=PROGRAMS["MNIST_DIST"], LAUNCHER="mpirun",
            OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_rmaps_base_oversubscribe="1",
            SLURM_SUBMIT_DIR=str(self.folder), SLURM_JOB_ID=JOB, SLURM_NTASKS=str(tasks),
            JOB_STATE="RUNNING", TIME_LIMIT="01:00:00", PREEMPT_TIME="None")
        if restarts > 0:
            environment["SLURM_RESTART_COUNT"] = str(restarts)
        if array_task is not None:
            environment.update(SLURM_ARRAY_JOB_ID=JOB, SLURM_ARRAY_TASK_ID=str(array_task))
        environment.update({name: str(value) for name, value in variables.items()})
        copy = self.spool / "slurm_script"
        shutil.copy(JOBS / script, copy)
        return subprocess.Popen([str(copy), *arguments], cwd=self.folder, env=environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)

    def run(self, script, *arguments, **variables):
        """The exit code and what the job printed."""
        return end_of(self.start(script, *arguments, **variables))


def end_of(process):
    """Waits for a job; the exit code and what it printed. One that does not end is ended, and is an error."""
    try:
        output = process.communicate(timeout=PATIENCE)[0]
        return process.returncode, output
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGTERM)  # upon which mpirun ends its ranks
        raise AssertionError(f"the job did not end in {PATIENCE} seconds: {process.communicate()[0]}") from None


def wait_for_epochs(process, run, epochs):
    """Waits until a job that is under way has trained so many epochs; the caller then ends it."""
    deadline = time.monotonic() + PATIENCE
    while epochs_in(run) < epochs and process.poll() is None:
        if time.monotonic() > deadline:
            os.killpg(process.pid, signal.SIGTERM)
            raise AssertionError(f"no {epochs} epochs in {PATIENCE} seconds: {process.communicate()[0]}")
        time.sleep(0.02)


def epochs_in(run):
    """How many epochs a run folder's metrics.csv tells of."""
    metrics = run / "metrics.csv"
    return max(0, len(metrics.read_text(encoding="utf-8").splitlines()) - 1) if metrics.exists() else 0


def child_of(process):
    """The process that the batch script waits for: the launcher."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="utf-8").split()
    return int(children[0])


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def setUpModule():
    folder = Path(tempfile.mkdtemp(prefix="mnist-dist-jobs-data-"))
    unittest.addModuleCleanup(shutil.rmtree, folder)
    h5pack = PROGRAMS["H5PACK"]
    subprocess.run([h5pack, "synth", str(folder / "digits"), "--training", "800", "--testing", "200"], check=True,
                   stdout=subprocess.DEVNULL)
    DATA["mnist.h5"] = folder / "mnist.h5"
    subprocess.run([h5pack, "pack", str(folder / "digits"), str(DATA["mnist.h5"])], check=True,
                   stdout=subprocess.DEVNULL)


class JobTest(unittest.TestCase):
    """A folder with mnist.h5 in which jobs are submitted."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="mnist-dist-jobs-"))
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "mnist.h5").symlink_to(DATA["mnist.h5"])
        self.slurm = Slurm(self.folder)
        self.run_folder = self.folder / "runs" / JOB


def main():
    """Runs the tests of the script, and exits; with 77 where the programs are not named."""
    missing = [name for name, value in PROGRAMS.items() if not value]
    if missing:
        print(f"not set: {', '.join(missing)}")
        sys.exit(77)
    runner.main()
