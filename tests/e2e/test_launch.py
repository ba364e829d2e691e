"""Attacks `launch`: ranks and mpirun are killed under it, it is stopped and killed itself. Nothing tells Open MPI what
launch should tell it."""

import os
import signal
import time
from pathlib import Path

import program
from program import (BAD_DATA, DONE, FILE_SYSTEM, FOREVER, HANG, LONG_EPOCHS, RANK_FAILED, STOPPED_EARLY, USAGE,
                     ProgramTest, Shared, descendants, error_lines, is_alive, is_program, kill, main,
                     newest_checkpoint, wait_until, warning_lines)

UNHEALTHY = 7
EPOCHS = 6
TRAINING = ("--epochs", EPOCHS, *LONG_EPOCHS)


def untold():
    """The environment without a word for Open MPI."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("OMPI_", "PMIX_"))}


def setUpModule():
    program.environment = untold
    Shared.make()
    Shared.train("undisturbed", *TRAINING)


def name_of(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return ""  # it has ended


def mpirun_of(job):
    """The process of the mpirun that launch has started; None between two."""
    return next((pid for pid in descendants(job.process.pid) if name_of(pid) in ("mpirun", "orterun")), None)


def ranks_of(job):
    """Of the mpirun that runs now."""
    mpirun = mpirun_of(job)
    return [pid for pid in descendants(mpirun) if is_program(pid)] if mpirun else []


def command_of(result):
    """The mpirun that launch has shown, the newest if there are several."""
    return [line for line in result.stderr.splitlines() if line.startswith("mnist-dist: mpirun")][-1]


class LaunchTest(ProgramTest):
    def launch(self, *words, ranks=2, options=()):
        return self.start("launch", "-np", ranks, *options, "--", *words)

    def train_in_launch(self, *words, options=(), ranks=2):
        """A training that has done its first epoch."""
        job = self.launch("train", Shared.data, "-o", "run", *words, options=options, ranks=ranks)
        self.wait_for_epoch(job, self.folder / "run", 1)
        return job

    def launch_by(self, script, *words, options=()):
        """@param script: what mpirun does, in a shell"""
        mpirun = self.folder / "bin" / "mpirun"
        mpirun.parent.mkdir(exist_ok=True)
        mpirun.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        mpirun.chmod(0o755)
        job = program.Job(("launch", "-np", 2, *options, "train", *(words or (Shared.data,))), None, self.folder,
                          variables={"PATH": f"{mpirun.parent}:{os.environ['PATH']}"})
        self.addCleanup(job.close)
        return job

    def finish(self, *words, ranks=2):
        result = self.launch(*words, ranks=ranks).wait()
        self.assert_exit(result, DONE)
        return result

    def kill_a_rank(self, job, before=None):
        """Kills a rank as soon as there is one. @param before: an mpirun whose ranks are not meant
        @return its mpirun"""
        wait_until(lambda: job.process.poll() is not None or (mpirun_of(job) != before and ranks_of(job)), "ranks")
        mpirun = mpirun_of(job)
        kill(ranks_of(job)[:1])
        return mpirun


class Restarts(LaunchTest):
    def assert_goes_on(self, victim):
        job = self.train_in_launch(*TRAINING)
        kill([victim(job)])
        result = job.wait()
        self.assert_exit(result, DONE)
        self.assertEqual(error_lines(result), [])
        self.assertEqual([line for line in warning_lines(result) if "signal 9 (SIGKILL)" in line and
                          "restart 1 of 3, with 2 ranks from step" in line], warning_lines(result))
        self.assertEqual(len(warning_lines(result)), 1, result.stderr)
        self.assertIn("train --resume run", command_of(result))
        self.assert_same_run(self.folder / "run", Shared.folder / "undisturbed")

    def test_the_first_rank_is_killed(self):
        self.assert_goes_on(lambda job: min(ranks_of(job)))

    def test_the_last_rank_is_killed(self):
        self.assert_goes_on(lambda job: max(ranks_of(job)))

    def test_mpirun_is_killed(self):
        self.assert_goes_on(mpirun_of)

    def test_killed_before_there_is_anything(self):
        """The folder that launch has chosen is the one in which it begins anew."""
        job = self.launch("train", Shared.data, *TRAINING)
        self.kill_a_rank(job)
        self.assert_exit(job.wait(), DONE)
        runs = [path for path in (self.folder / "runs").iterdir() if path.name != "latest"]
        self.assertEqual(len(runs), 1)
        self.assert_same_run(runs[0], Shared.folder / "undisturbed")

    def test_a_resumed_run_keeps_its_new_end(self):
        self.train("run", "--epochs", 1, *LONG_EPOCHS)
        job = self.launch("train", "--resume", "run", "--epochs", EPOCHS)
        self.wait_for_epoch(job, self.folder / "run", 2)
        kill(ranks_of(job)[:1])
        self.assert_exit(job.wait(), DONE)
        self.assert_same_run(self.folder / "run", Shared.folder / "undisturbed")

    def test_a_rank_that_hangs(self):
        """It ends with an exit code of our own; the other one says why."""
        job = self.train_in_launch(*TRAINING, "--hang-timeout", 5)
        os.kill(ranks_of(job)[-1], signal.SIGSTOP)
        result = job.wait()
        self.assert_exit(result, DONE)
        self.assertIn("a rank failed: restart 1 of", result.stderr)
        self.assertIn("--hang-timeout 5", command_of(result))
        self.assert_same_run(self.folder / "run", Shared.folder / "undisturbed")

    def test_a_rank_that_still_writes(self):
        """Left over on a host that was lost, say. Launch waits as long as its own --hang-timeout may take."""
        self.train("run", "--epochs", 1, *LONG_EPOCHS)
        writer = self.start("train", "--resume", "run", "--epochs", FOREVER)
        self.wait_for_epoch(writer, self.folder / "run", 2)
        once = self.folder / "once"
        script = f"[ -e {once} ] && exit; touch {once}; exit 137"
        result = self.launch_by(script, "--resume", "run", "--hang-timeout", 1).wait(HANG)
        self.assert_exit(result, DONE)
        self.assertEqual(result.stderr.count("mnist-dist: mpirun"), 2)

        once.unlink()
        job = self.launch_by(script, "--resume", "run", "--hang-timeout", 0)
        wait_until(lambda: "waiting for a rank" in job.errors() or job.process.poll() is not None, "the wait")
        self.assertIsNone(job.process.poll(), job.errors())
        writer.kill()
        self.assert_exit(job.wait(HANG), DONE)


class GivingUp(LaunchTest):
    def test_mpirun_that_ends_before_its_ranks(self):
        hint = "go on with: mnist-dist train --resume run"
        result = self.launch_by("exit 1").wait()
        self.assert_one_error(result, RANK_FAILED, "mpirun did not start, or somebody ended it")
        self.assertNotIn(hint, result.stderr)
        self.train("run", "--epochs", 1)
        self.assert_one_error(self.launch_by("exit 1", "--resume", "run").wait(), RANK_FAILED, hint)

    def test_no_newer_checkpoint(self):
        job = self.train_in_launch("--epochs", FOREVER, *LONG_EPOCHS)
        self.kill_a_rank(job, self.kill_a_rank(job))
        step = int(newest_checkpoint(self.folder / "run").stem.split("-")[1])
        self.assert_one_error(job.wait(HANG), RANK_FAILED, "twice without a checkpoint after", f"step {step} of run")

    def test_nothing_at_all(self):
        job = self.launch("train", Shared.data)
        self.kill_a_rank(job, self.kill_a_rank(job))
        self.assert_one_error(job.wait(HANG), RANK_FAILED, "twice without a checkpoint after the beginning")

    def test_max_restarts(self):
        for restarts in (0, 1):
            job = self.launch("train", Shared.data, "-o", f"run-{restarts}", "--epochs", FOREVER, *LONG_EPOCHS,
                              options=("--max-restarts", restarts))
            mpirun = None
            for attempt in range(restarts + 1):
                self.wait_for_epoch(job, self.folder / f"run-{restarts}", 2 * attempt + 1)
                mpirun = self.kill_a_rank(job, mpirun)
            self.assert_one_error(job.wait(HANG), RANK_FAILED, "SIGKILL", f"after {restarts} restart",
                                  f"mnist-dist train --resume run-{restarts}")

    def test_only_training_is_restarted(self):
        job = self.launch("bench", Shared.data)
        self.kill_a_rank(job)
        result = job.wait(HANG)
        self.assert_one_error(result, RANK_FAILED, "signal 9 (SIGKILL) ended a rank")
        self.assertEqual(result.stderr.count("mnist-dist: mpirun"), 1)

    def test_codes_are_passed_on(self):
        (self.folder / "text.h5").write_text("no data set\n", encoding="utf-8")
        self.train("run", "--epochs", 1)
        # The last but one is noticed in training; nothing would be another time.
        for words, code in ((("train", Shared.data, "--epochs", 0), USAGE), (("train", "text.h5"), BAD_DATA),
                            (("train", "nothing.h5"), FILE_SYSTEM), (("evaluate", "nothing.h5"), FILE_SYSTEM),
                            (("train", Shared.data, "-o", "run"), USAGE),
                            (("train", Shared.data, "-o", "diverged", "--learning-rate", 1e30), USAGE)):
            result = self.launch(*words).wait()
            self.assert_one_error(result, code)
            self.assertEqual(result.stderr.splitlines(), [command_of(result), *error_lines(result)])
        self.assertEqual([path.name for path in (self.folder / "runs").iterdir()], ["latest"], "a folder for nothing")
        self.assert_exit(self.launch("evaluate").wait(), DONE)
        self.assert_exit(self.launch("reproduce", "run").wait(), DONE)
        result = self.launch("doctor", "nothing.h5").wait()
        self.assert_exit(result, UNHEALTHY)
        self.assertEqual(result.stderr.splitlines(), [command_of(result)])

    def test_codes_of_other_commands_are_signals(self):
        for code, name in ((6, "SIGABRT"), (7, "SIGBUS")):
            self.assert_one_error(self.launch_by(f"exit {code}").wait(), RANK_FAILED, name, "twice")


class Stopping(LaunchTest):
    def test_every_signal(self):
        """The ranks save a checkpoint, and what goes on from there ends in the same bits."""
        run = self.folder / "run"
        start = lambda: self.launch("train", *(("--resume", "run") if run.exists() else
                                               (Shared.data, "-o", "run", *TRAINING)))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR2):
            self.stop_within_epoch(start, run, number)
        self.finish("train", "--resume", "run")
        self.assert_same_run(run, Shared.folder / "undisturbed")

    def test_ctrl_c(self):
        """The terminal tells the whole group, and `timeout` tells launch and then its group."""
        for again in (False, True):
            run = f"run-{again}"
            job = self.launch("train", Shared.data, "-o", run, "--epochs", FOREVER, *LONG_EPOCHS)
            self.wait_for_epoch(job, self.folder / run, 1)
            if again:
                job.process.send_signal(signal.SIGINT)
            os.killpg(job.process.pid, signal.SIGINT)
            result = job.wait(HANG)
            self.assert_exit(result, STOPPED_EARLY)
            self.assertIn("checkpoint saved", result.stdout)
            self.assertEqual(error_lines(result) + warning_lines(result), [])

    def test_before_the_ranks_are_there(self):
        """mpirun dies of what tells the ranks, or forgets it."""
        self.train("run", "--epochs", 1, *LONG_EPOCHS)
        for wait in (0, 0.02, 0.05, 0.1, 0.2, 0.5):
            job = self.launch("train", "--resume", "run", "--epochs", FOREVER)
            wait_until(lambda: mpirun_of(job), "mpirun")
            time.sleep(wait)
            job.process.send_signal(signal.SIGTERM)
            result = job.wait(HANG)
            self.assert_exit(result, STOPPED_EARLY)
            self.assertEqual(error_lines(result) + warning_lines(result), [])

    def test_between_two_mpiruns(self):
        """There is no other one, and a host that was being asked is not lost."""
        self.train("run", "--epochs", 1)
        for words, code in (((Shared.data,), 128 + signal.SIGTERM), (("--resume", "run"), STOPPED_EARLY)):
            for options, script in (((), "kill -TERM $PPID; exit 137"), (("--hosts", "a"), "\n".join((
                    'case "$*" in *true) kill -TERM $PPID; sleep 1 ;; esac', "exit 137")))):
                result = self.launch_by(script, *words, options=options).wait(HANG)
                self.assert_exit(result, code)
                self.assertEqual(result.stderr.splitlines(), [command_of(result)])
        self.assertEqual([path.name for path in (self.folder / "runs").iterdir()], ["latest"], "a folder for nothing")

    def test_a_second_signal_does_not_wait(self):
        """For a rank that cannot save, say."""
        job = self.train_in_launch("--epochs", FOREVER, *LONG_EPOCHS, "--hang-timeout", 0)
        ranks = ranks_of(job)
        os.kill(ranks[-1], signal.SIGSTOP)
        while job.process.poll() is None:
            job.process.send_signal(signal.SIGTERM)
            time.sleep(2)
        self.assert_exit(job.wait(HANG), 128 + signal.SIGTERM)
        wait_until(lambda: not any(map(is_alive, ranks)), "the end of the ranks", HANG)

    def test_an_mpirun_that_hears_nothing(self):
        """One that is busy with starting ranks, say."""
        job = self.launch_by("trap '' USR1 TERM; touch deaf; while :; do sleep 1; done")
        wait_until((self.folder / "deaf").exists, "mpirun")
        for _ in range(5):
            job.process.send_signal(signal.SIGTERM)
            time.sleep(2)
        self.assert_exit(job.wait(HANG), 128 + signal.SIGTERM)

    def test_no_rank_outlives_launch(self):
        job = self.train_in_launch("--epochs", FOREVER, *LONG_EPOCHS)
        processes = descendants(job.process.pid)
        kill([job.process.pid])
        wait_until(lambda: not any(map(is_alive, processes)), "the end of mpirun and the ranks", HANG)


if __name__ == "__main__":
    main()
