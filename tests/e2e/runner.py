"""Runs the tests of a file side by side: most of them wait for mpirun to start or to end. All that their programs leave
in the temporary folder and in shared memory lies in folders of this run, is looked at, and is taken away."""

import concurrent.futures
import io
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
import unittest
from pathlib import Path

SIDE_BY_SIDE = 4  # tests of a file; CTest counts a file as one processor, since its tests mostly wait

HANG = 300  # seconds for what must end soon

SHARED_MEMORY = Path("/dev/shm")
# Where Open MPI makes its segments of shared memory; a rank that is killed leaves them there.
SEGMENT_FOLDERS = ("OMPI_MCA_btl_vader_backing_directory", "OMPI_MCA_osc_sm_backing_directory")

SESSION_FOLDER = "OMPI_MCA_orte_tmpdir_base"  # where Open MPI makes the folder of a job


class Ground:
    """The temporary folder and the folder of shared memory that this process and its programs use from now on."""

    def __init__(self):
        self.temporary = Path(tempfile.mkdtemp(prefix="mnist-dist-"))
        os.environ["TMPDIR"] = tempfile.tempdir = str(self.temporary)
        # Ranks that have nothing to do leave the core to those of other tests.
        os.environ["OMPI_MCA_mpi_yield_when_idle"] = "1"
        self.segments = None
        if os.access(SHARED_MEMORY, os.W_OK):
            self.segments = Path(tempfile.mkdtemp(prefix="mnist-dist-", dir=SHARED_MEMORY))
            os.environ.update(dict.fromkeys(SEGMENT_FOLDERS, str(self.segments)))

    def left_behind(self):
        """What should not be there after the tests. Open MPI's session folders outlive an mpirun that was killed."""
        return [str(path) for path in self.temporary.iterdir() if not path.name.startswith("ompi.")]

    def remove(self):
        shutil.rmtree(self.temporary, ignore_errors=True)
        if self.segments:
            shutil.rmtree(self.segments, ignore_errors=True)


def tests_in(suite):
    """The tests of nested suites, in order."""
    if isinstance(suite, unittest.TestCase):
        return [suite]
    return [test for part in suite for test in tests_in(part)]


def run_one(test):
    """A line about the test and the text of its failure ("" when there is none)."""
    begin = time.monotonic()
    # Two programs that begin at once may both want to make Open MPI's session folder, and the second one fails.
    os.environ[SESSION_FOLDER] = tempfile.mkdtemp(prefix="ompi.")
    result = unittest.TextTestRunner(stream=io.StringIO(), verbosity=0).run(test)
    failures = [text for _, text in result.errors + result.failures]
    skipped = f"  {result.skipped[0][1]}" if result.skipped else ""
    word = "FAILED " if failures else "skipped" if result.skipped else "ok     "
    return f"{word} {time.monotonic() - begin:6.1f} s  {test.id()}{skipped}", "\n".join(failures)


class SideBySide:
    """A test runner for unittest.main. The module's fixture is made once, before the tests' processes begin."""

    def __init__(self, **_):
        self.workers = concurrent.futures.ProcessPoolExecutor(SIDE_BY_SIDE, multiprocessing.get_context("fork"))

    def run(self, suite):
        result = unittest.TestResult()
        getattr(sys.modules["__main__"], "setUpModule", lambda: None)()
        try:
            with self.workers as workers:
                running = {workers.submit(run_one, test): test for test in tests_in(suite)}
                for done in concurrent.futures.as_completed(running):
                    line, failure = done.result()
                    print(line, flush=True)
                    if failure:
                        result.failures.append((running[done], failure))
                    result.testsRun += 1
        finally:
            unittest.case.doModuleCleanups()
        return result


def main():
    """Runs the tests of the script, and exits."""
    ground = Ground()
    begin = time.monotonic()
    try:
        result = unittest.main(testRunner=SideBySide, exit=False).result
        left_behind = ground.left_behind()
    finally:
        ground.remove()
    for test, failure in result.failures:
        print(f"\n{test.id()}\n{failure}")
    print(f"{result.testsRun} tests in {time.monotonic() - begin:.1f} s, {len(result.failures)} failed")
    if left_behind:
        print(f"left behind in the temporary folder: {', '.join(left_behind)}")
    sys.exit(1 if result.failures or left_behind else 0)
