"""Runs mnist-dist and h5pack as a user does: with and without mpirun, in a folder of the test's own, never without a
time limit."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import runner

try:
    import h5py
    import numpy
except ImportError:
    print("skipped: needs h5py and numpy (Debian: python3-h5py)", file=sys.stderr)
    sys.exit(77)

SHIM = os.environ.get("FILE_SYSTEM_SHIM", "")  # what stands between a program and the system
MNIST_DIST, H5PACK, MPIEXEC = (os.environ.get(name, "") for name in ("MNIST_DIST", "H5PACK", "MPIEXEC"))

# Seconds. No promise about time is tested: these only end what hangs, on a machine that is busy with other things too.
PATIENCE = 900
HANG = runner.HANG
DONE, USAGE, BAD_DATA, FILE_SYSTEM, RANK_FAILED, STOPPED_EARLY = 0, 2, 3, 4, 5, 75

FOREVER = 1000000  # epochs: such a run goes on until the test ends it, on a fast machine as on a slow one

# Flags of a run that only --epochs ends.
ENDLESS = ("--window", "1000000", "--min-change", "0")
# Many steps in an epoch, so that nearly every instant lies within one.
LONG_EPOCHS = ("--batch-size", "4", "--hidden", "160,160", "--dropout", "0.3", *ENDLESS)

SEAL = len("\nmnist-dist sha256 \n") + 64  # bytes of the line in which a file of ours ends

METRICS_COLUMNS = ["epoch", "score", "loss", "accuracy", "seconds", "images_per_second"]


def environment():
    """mpirun must start as root and with more ranks than cores; a test must not depend on who runs it."""
    return {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
            "OMPI_MCA_rmaps_base_oversubscribe": "1"}


def shim(**variables):
    """The environment variables of a program that has the shims between itself and the file system and machine."""
    # The library that looks for memory errors wants to be loaded first, but may come after this one.
    sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    return {"LD_PRELOAD": SHIM, "ASAN_OPTIONS": sanitizer, **{name: str(value) for name, value in variables.items()}}


def take_hangups():
    """For a program to be: whoever runs the tests under nohup ignores them."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def command_line(arguments, ranks, variables=None):
    """`mnist-dist ARGUMENTS` with more environment variables, alone or (ranks is a number) under mpirun, which does not
    see them; or after the words of another launcher (ranks is a list)."""
    set_variables = [f"{name}={value}" for name, value in (variables or {}).items()]
    if isinstance(ranks, list):
        launcher = ranks
    elif ranks is None:
        launcher = ["env", *set_variables] if set_variables else []
    else:
        launcher = [MPIEXEC, *(word for variable in set_variables for word in ("-x", variable)), "-np", str(ranks)]
    return [*launcher, MNIST_DIST, *map(str, arguments)]


def descendants(pid):
    """The ids of all processes that this one has started, and those have started."""
    found = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in children.read_text(encoding="ascii").split():
                found += [int(child), *descendants(child)]
        except FileNotFoundError:
            pass
    return found


def kill(pids):
    """SIGKILL; a process that has ended already is none of its concern."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


class Job:
    """A program that runs beside the test: `mnist-dist`, alone or under mpirun."""

    def __init__(self, arguments, ranks, folder, preexec=None, output=None, variables=None):
        self.arguments = arguments
        self.alone = ranks is None
        self.output_file = tempfile.TemporaryFile("w+", encoding="utf-8")
        self.errors_file = tempfile.TemporaryFile("w+", encoding="utf-8")
        # Open MPI's jobs share a folder, which two that start or end at the same time cannot always make.
        self.session = tempfile.mkdtemp(prefix="ompi-", dir=os.environ.get(runner.SESSION_FOLDER))
        self.process = subprocess.Popen(command_line(arguments, ranks, variables), cwd=folder,
                                        env={**environment(), runner.SESSION_FOLDER: self.session},
                                        stdin=subprocess.DEVNULL, stdout=output or self.output_file,
                                        stderr=self.errors_file, start_new_session=True, preexec_fn=preexec)

    def ranks(self):
        """The process ids of the ranks that run now."""
        if self.alone:
            return [self.process.pid]
        return [pid for pid in descendants(self.process.pid) if is_program(pid)]

    def kill(self):
        """All at once, as a power cut would. Returns when none of them is left."""
        pids = [*descendants(self.process.pid), self.process.pid]
        kill(pids)
        self.process.wait()
        wait_until(lambda: not any(map(is_alive, pids)), "the end of what was killed")

    def wait(self, timeout=PATIENCE):
        """Waits for the end. A program that hangs is killed, and the test fails."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running after {timeout} s: {self.arguments}\n{self.output()}{self.errors()}")
        return subprocess.CompletedProcess(self.arguments, self.process.returncode, self.output(), self.errors())

    def output(self):
        self.output_file.seek(0)
        return self.output_file.read()

    def errors(self):
        self.errors_file.seek(0)
        return self.errors_file.read()

    def close(self):
        if self.process.poll() is None:
            self.kill()
        self.output_file.close()
        self.errors_file.close()
        shutil.rmtree(self.session, ignore_errors=True)


def is_program(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe") == os.path.realpath(MNIST_DIST)
    except OSError:
        return False


def is_alive(pid):
    """Not so once it has only an exit code left, which nobody may ever want."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition, what, timeout=PATIENCE):
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} seconds for {what}")
        time.sleep(0.005)


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def read_metrics(run):
    """The rows of metrics.csv as dictionaries of text; none when there is no such file yet."""
    path = Path(run) / "metrics.csv"
    if not path.exists():
        return []
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    return [dict(zip(header.split(","), row.split(","))) for row in rows]


def without_times(metrics):
    """The part of the metrics that is the same for everybody."""
    return [{name: row[name] for name in ("epoch", "score", "loss", "accuracy")} for row in metrics]


def read_manifest(run):
    return json.loads((Path(run) / "checkpoints" / "manifest.json").read_text(encoding="utf-8"))


def epochs_in_newest_checkpoint(run):
    """0 when there is no checkpoint yet."""
    if not (Path(run) / "checkpoints" / "manifest.json").exists():
        return 0
    return read_manifest(run)["checkpoints"][-1]["epoch"]


def newest_checkpoint(run):
    return Path(run) / "checkpoints" / read_manifest(run)["checkpoints"][-1]["file"]


def error_lines(result):
    return [line for line in result.stderr.splitlines() if line.startswith("mnist-dist: error")]


def warning_lines(result):
    return [line for line in result.stderr.splitlines() if line.startswith("mnist-dist: warning")]


def pack(folder, *options):
    """Packs a folder into a file of the same name beside it."""
    target = folder.with_suffix(".h5")
    subprocess.run([H5PACK, "pack", folder, target, *options], check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)
    return target


def draw_digits(folder, training, testing, *options):
    subprocess.run([H5PACK, "synth", folder, "--training", str(training), "--testing", str(testing), *options],
                   check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)
    return folder


class Shared:
    """What the tests of a file have in common. Made by setUpModule = Shared.make."""

    folder = None
    digits = None  # PNG class folders
    data = None    # the same, packed

    @classmethod
    def make(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="mnist-dist-shared-"))
        unittest.addModuleCleanup(shutil.rmtree, cls.folder)
        cls.digits = draw_digits(cls.folder / "digits", 1200, 300)
        cls.data = pack(cls.digits)

    @classmethod
    def train(cls, name, *options):
        """A run in the shared folder."""
        test = ProgramTest()
        test.folder = cls.folder
        try:
            return test.train(name, *options)
        finally:
            test.doCleanups()


class ProgramTest(unittest.TestCase):
    """A test with a folder of its own, in which programs run."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="mnist-dist-test-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def start(self, *arguments, ranks=None, preexec=None, output=None):
        """@param output: where standard output goes, instead of to Job.output()"""
        job = Job(arguments, ranks, self.folder, preexec, output)
        self.addCleanup(job.close)
        return job

    def run_program(self, *arguments, ranks=None, preexec=None, output=None):
        return self.start(*arguments, ranks=ranks, preexec=preexec, output=output).wait()

    def assert_exit(self, result, exit_code):
        self.assertEqual(result.returncode, exit_code,
                         f"mnist-dist {' '.join(map(str, result.args))}\n{result.stdout}{result.stderr}")

    def succeed(self, *arguments, ranks=None):
        """Runs the program, which must exit with 0; gives what it printed."""
        result = self.run_program(*arguments, ranks=ranks)
        self.assert_exit(result, DONE)
        return result.stdout

    def train(self, name, *options, ranks=None, data=None):
        """Trains into the folder `name`, and gives its path."""
        self.succeed("train", data or Shared.data, "-o", name, *options, ranks=ranks)
        return self.folder / name

    def resume(self, run, *options, ranks=None):
        return self.succeed("train", "--resume", run, *options, ranks=ranks)

    def wait_for_epoch(self, job, run, number):
        """Until so many epochs are done, with the job still at work."""
        wait_until(lambda: len(read_metrics(run)) >= number or job.process.poll() is not None, f"epoch {number}")
        self.assertIsNone(job.process.poll(), f"ended before epoch {number}: {job.output()}{job.errors()}")

    def stop_within_epoch(self, start, run, stop_signal):
        """start() gives a job that writes the folder `run`, and goes on there when it exists. It is asked to stop after
        its next epoch. Where it stopped between two epochs or ended, it begins again as it began before."""
        before = self.folder / "before"
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            shutil.rmtree(before, ignore_errors=True)
            if run.exists():
                shutil.copytree(run, before)
            job = start()
            epochs = len(read_metrics(run))
            wait_until(lambda: len(read_metrics(run)) > epochs or job.process.poll() is not None, "an epoch")
            if job.process.poll() is None:
                job.process.send_signal(stop_signal)
            result = job.wait()
            if result.returncode != DONE:
                self.assert_exit(result, STOPPED_EARLY)
                self.assertIn(f"--resume {run.name}", result.stdout)
                with h5py.File(newest_checkpoint(run)) as checkpoint:
                    if checkpoint.attrs["steps_done_in_epoch"] > 0:
                        return
            shutil.rmtree(run)
            if before.exists():
                shutil.copytree(before, run)
        self.fail(f"{stop_signal.name} never stopped a run within an epoch")

    def assert_one_error(self, result, exit_code, *mentions):
        """Fails unless the program ended with this exit code and one line that mentions all of these."""
        self.assert_exit(result, exit_code)
        lines = error_lines(result)
        self.assertEqual(len(lines), 1, f"not one error line: {result.stderr}")
        for mention in mentions:
            self.assertIn(str(mention), lines[0])

    def assert_same_run(self, run, undisturbed):
        """The same model bit by bit, and the same metrics but for the times."""
        self.assertEqual(without_times(read_metrics(run)), without_times(read_metrics(undisturbed)))
        self.assertEqual(sha256(run / "model.h5"), sha256(undisturbed / "model.h5"))

    def assert_checkpoints_whole(self, run):
        """Everything that the manifest names is on disk with its hash, and nothing is half written."""
        for entry in read_manifest(run)["checkpoints"]:
            self.assertEqual(sha256(run / "checkpoints" / entry["file"]), entry["sha256"], entry["file"])
        self.assertEqual([str(path) for path in run.rglob("*.partial")], [])


def main():
    missing = [name for name in ("MNIST_DIST", "H5PACK", "MPIEXEC") if not os.environ.get(name)]
    if missing:
        sys.exit(f"set {', '.join(missing)} to the programs to test, as CTest does")
    runner.main()
