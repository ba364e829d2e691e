"""Attacks the promise that one process writes a run folder, and that the folder which it began in is the one."""

import json
import os
import shutil
import signal
import socket
import sys
import unittest.mock

from program import (DONE, ENDLESS, FILE_SYSTEM, FOREVER, SHIM, STOPPED_EARLY, ProgramTest, Shared, main, read_metrics,
                     sha256, shim, wait_until, warning_lines)

SMALL = ("--hidden", 8, *ENDLESS)
ENDS_NOT = ("--epochs", FOREVER, *SMALL)

setUpModule = Shared.make


def has_begun(job):
    """Whether it says which folder it writes."""
    return any(line.startswith("run  ") for line in job.output().splitlines())


class WriterTest(ProgramTest):
    def assert_refused(self, job, folder, writer):
        """@param writer: the process id of its rank 0"""
        wait_until(lambda: job.process.poll() is not None or has_begun(job), "a refusal")
        self.assertFalse(has_begun(job), "there are two writers")
        self.assert_one_error(job.wait(), FILE_SYSTEM, f"{folder} is being written by process {writer} on "
                              f"{socket.gethostname()}: wait for its end, or choose another folder")

    def begin(self, *arguments, run="run", ranks=None):
        """A job that has done an epoch of the run."""
        job = self.start("train", *arguments, ranks=ranks)
        epochs = len(read_metrics(self.folder / run))
        self.wait_for_epoch(job, self.folder / run, epochs + 1)
        return job

    def use_shim(self, **variables):
        self.enterContext(unittest.mock.patch.dict(os.environ, shim(**variables)))


class Refused(WriterTest):
    def test_races(self):
        """Whoever of two is first, the other one is refused, and changes nothing in the folder."""
        for race in range(6):
            with self.subTest(race=race):
                run = self.folder / f"run-{race}"
                jobs = [self.start("train", Shared.data, "-o", run.name, "--seed", seed, *ENDS_NOT) for seed in (0, 1)]
                wait_until(lambda: any(map(has_begun, jobs)), "one of the two to begin")
                winner = 0 if has_begun(jobs[0]) else 1
                self.assert_refused(jobs[1 - winner], run.name, jobs[winner].process.pid)
                self.wait_for_epoch(jobs[winner], run, 1)
                self.assertIn(f"seed = {winner}\n", (run / "config.toml").read_text(encoding="utf-8"))
                jobs[winner].kill()

    def test_resumed_while_it_runs(self):
        for ranks in (None, 2):
            run = f"run-{ranks}"
            job = self.begin(Shared.data, "-o", run, *ENDS_NOT, run=run, ranks=ranks)
            pid = int((self.folder / run / ".lock").read_text(encoding="utf-8").split()[1])
            self.assertIn(pid, job.ranks())
            for other_ranks in (None, 2):
                for arguments in (("--resume", run), ("--resume", f"{run}/"), (Shared.data, "-o", run)):
                    self.assert_refused(self.start("train", *arguments, ranks=other_ranks), run, pid)
            self.assertIn(": a run\n", self.succeed("info", run))
            self.succeed("evaluate", Shared.data, "-m", run)
            self.wait_for_epoch(job, self.folder / run, len(read_metrics(self.folder / run)) + 1)
            job.process.send_signal(signal.SIGUSR1)
            self.assert_exit(job.wait(), STOPPED_EARLY)

    def test_a_killed_run_blocks_nobody(self):
        self.begin(Shared.data, "-o", "run", *ENDS_NOT, ranks=2).kill()
        for ranks in (None, 3):
            self.begin("--resume", "run", ranks=ranks).kill()
        (self.folder / "run" / ".lock").write_text("process 1 on another-host", encoding="utf-8")
        epochs = len(read_metrics(self.folder / "run")) + 1
        self.resume("run", "--epochs", epochs)
        self.assert_same_run(self.folder / "run", self.train("undisturbed", "--epochs", epochs, *SMALL))

    def test_where_there_are_no_locks(self):
        self.use_shim(MACHINE_NO_LOCKS="1")
        result = self.run_program("train", Shared.data, "-o", "run", "--epochs", 1, *SMALL)
        self.assert_exit(result, DONE)
        self.assertEqual(len(warning_lines(result)), 1, result.stderr)
        self.assertIn("run is on a file system without locks (Function not implemented)", warning_lines(result)[0])


class Removed(WriterTest):
    """The run ends, and its folder is not made again."""

    def assert_noticed(self, lose, ranks=None):
        run = self.folder / "run"
        job = self.begin(Shared.data, "-o", "run", *ENDS_NOT, ranks=ranks)
        lose(run)
        self.assert_one_error(job.wait(), FILE_SYSTEM, "run")
        return run

    def elsewhere(self, run):
        """Moved at one instant: where the run goes on meanwhile, a folder cannot be removed so."""
        moved = self.folder / "moved"
        shutil.rmtree(moved, ignore_errors=True)
        return run.rename(moved)

    def test_removed(self):
        for ranks in (None, 2):
            run = self.assert_noticed(lambda run: shutil.rmtree(self.elsewhere(run)), ranks)
            self.assertFalse(run.exists())

    def test_moved(self):
        self.assertFalse(self.assert_noticed(self.elsewhere).exists())
        epochs = len(read_metrics(self.folder / "moved")) + 1
        self.resume("moved", "--epochs", epochs)
        self.assert_same_run(self.folder / "moved", self.train("undisturbed", "--epochs", epochs, *SMALL))

    def test_replaced(self):
        def replace(run):
            self.elsewhere(run)
            run.mkdir()
            (run / ".lock").touch()
            (run / "checkpoints").mkdir()
        run = self.assert_noticed(replace)
        self.assertFalse((run / "config.toml").exists())

    def test_latest_leads_elsewhere_meanwhile(self):
        """A run that was resumed by the link to the newest run stays where it is."""
        self.succeed("train", Shared.data, "--epochs", 1, *SMALL)
        runs = self.folder / "runs"
        first = runs / os.readlink(runs / "latest")
        job = self.begin("--resume", "runs/latest/", "--epochs", FOREVER, run=first)
        self.succeed("train", Shared.data, "--epochs", 1, "--seed", 1, *SMALL)
        second = runs / os.readlink(runs / "latest")
        self.assertNotEqual(first, second)
        model = sha256(second / "model.h5")
        self.wait_for_epoch(job, first, len(read_metrics(first)) + 2)
        self.assertEqual(len(read_metrics(second)), 1)
        self.assertEqual(sha256(second / "model.h5"), model)


class AtOnce(WriterTest):
    def test_default_folders(self):
        jobs = [self.start("train", Shared.data, "--epochs", 1, *SMALL) for _ in range(6)]
        for job in jobs:
            self.assert_exit(job.wait(), DONE)
        runs = [path for path in (self.folder / "runs").iterdir() if not path.is_symlink()]
        self.assertEqual(len(runs), len(jobs))
        for run in runs:
            self.assertEqual(len(read_metrics(run)), 1)
        self.assertTrue((self.folder / "runs" / "latest" / "model.h5").exists())

    def assert_all_evaluate(self, rounds):
        run = self.train("run", "--epochs", 1, *SMALL)
        names = sorted(os.listdir(run))
        for _ in range(rounds):
            jobs = [self.start("evaluate", Shared.data, "-m", "run") for _ in range(4)]
            for job in jobs:
                self.assert_exit(job.wait(), DONE)
            json.loads((run / "report.json").read_text(encoding="utf-8"))
        self.assertEqual(sorted(os.listdir(run)), sorted([*names, "report.json"]))

    def test_evaluations(self):
        self.assert_all_evaluate(5)

    def test_evaluations_where_files_cannot_be_nameless(self):
        self.use_shim(FILE_SYSTEM_NO_TMPFILE="1")
        self.assert_all_evaluate(10)


if __name__ == "__main__":
    if not SHIM:
        sys.exit("set FILE_SYSTEM_SHIM to the library that makes calls fail, as CTest does")
    main()
