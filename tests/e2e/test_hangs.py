"""Attacks promise 4 where ranks do not end but stop: the others name them and end the job. Seconds are counted by the
watchers of the ranks; a slow machine only makes them longer."""

import os
import re
import signal
import time
from pathlib import Path

from program import (DONE, ENDLESS, FOREVER, HANG, LONG_EPOCHS, MNIST_DIST, RANK_FAILED, SHIM, STOPPED_EARLY, USAGE,
                     ProgramTest, Shared, is_program, main, read_metrics, wait_until)

HOST = os.uname().nodename.split(".")[0]
LIMIT = 5  # seconds; a rank that nobody stopped gives a sign of life in this time on any machine

setUpModule = Shared.make


def pid_of_rank(job, rank):
    """The process of a rank, by the number that mpirun gave it."""
    name = f"OMPI_COMM_WORLD_RANK={rank}".encode()
    return next(pid for pid in job.ranks() if name in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"))


class HangTest(ProgramTest):
    def train_forever(self, limit, ranks=3):
        """A training that has ended its first epoch."""
        job = self.start("train", Shared.data, "-o", "run", "--epochs", FOREVER, *LONG_EPOCHS, "--hang-timeout", limit,
                         ranks=ranks)
        self.wait_for_epoch(job, self.folder / "run", 1)
        return job

    def start_held(self, *arguments):
        """Starts three ranks, of which rank 2 gets no further than to opening the data set; gives the job and the file
        that holds it as long as it is there."""
        held = self.folder / "held.h5"
        held.symlink_to(Shared.data)
        command, *options = arguments
        job = self.start(command, Shared.data, *options, ":", "-np", 1, "env", f"LD_PRELOAD={SHIM}",
                         f"FILE_SYSTEM_HOLD={held}", MNIST_DIST, command, held, *options, ranks=2)
        sign = Path(f"{held}.held")
        wait_until(lambda: sign.exists() or job.process.poll() is not None, "rank 2 at the data set")
        self.assertTrue(sign.exists(), job.errors())
        return job, sign

    def assert_ended(self, job, *mentions):
        """By one rank, with one line; no process is left."""
        ranks = job.ranks()
        self.assert_one_error(job.wait(HANG), RANK_FAILED, *mentions)
        wait_until(lambda: not any(map(is_program, ranks)), "the end of all processes", HANG)


class StoppedInTraining(HangTest):
    # Where ranks meet in a step, every so many steps, and at an epoch's end; a rank is stopped on its way to one.
    MEETINGS = "the exchange of gradients|the exchange of parameters|the check whether to stop|a sum over the ranks|" \
               "a gathering of values"

    def assert_named(self, rank):
        job = self.train_forever(LIMIT)
        os.kill(pid_of_rank(job, rank), signal.SIGSTOP)
        first, second = {0, 1, 2} - {rank}
        self.assert_ended(job, f"mnist-dist: error: rank {rank} on {HOST} has not come to ",
                          f"ranks {first}, {second} wait in it")
        self.assertRegex(job.errors(), f"has not come to ({self.MEETINGS}) for ")

    def test_first_rank(self):
        self.assert_named(0)
        self.resume("run", "--epochs", 2, ranks=2)

    def test_middle_rank(self):
        self.assert_named(1)

    def test_last_rank(self):
        self.assert_named(2)

    def test_two_ranks(self):
        job = self.train_forever(LIMIT)
        for rank in (0, 2):
            os.kill(pid_of_rank(job, rank), signal.SIGSTOP)
        self.assert_ended(job, f"ranks 0, 2 on {HOST} have not come to ", "rank 1 waits in it")


class GoesOn(HangTest):
    """Nobody is missing for longer than the limit."""

    def assert_goes_on(self, job):
        """For two epochs more, and to where it is asked to stop."""
        run = self.folder / "run"
        self.wait_for_epoch(job, run, len(read_metrics(run)) + 2)
        job.process.send_signal(signal.SIGUSR1)
        self.assert_exit(job.wait(HANG), STOPPED_EARLY)

    def pause(self, pids, seconds):
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(seconds)
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

    def test_all_ranks_stopped_and_continued(self):
        job = self.train_forever(LIMIT)
        self.pause(job.ranks(), 2 * LIMIT)
        self.assert_goes_on(job)

    def test_without_limit(self):
        job = self.train_forever(0)
        self.pause(job.ranks()[:1], LIMIT)
        self.assert_goes_on(job)


class AtTheDataSet(HangTest):
    """Rank 2 has not read it yet, and the others wait."""

    EVALUATE = ("evaluate", "--report", "report.json")
    TRAIN = ("train", "-o", "run", "--epochs", 1, "--hidden", 16, *ENDLESS)

    def evaluation(self):
        return (*self.EVALUATE, "-m", self.train("small", "--epochs", 1, "--hidden", 16))

    def test_stopped_at_the_start_of_training(self):
        job, _ = self.start_held(*self.TRAIN, "--hang-timeout", LIMIT)
        os.kill(pid_of_rank(job, 2), signal.SIGSTOP)
        self.assert_ended(job, f"rank 2 on {HOST} has not come to the check whether a rank has failed for ",
                          "ranks 0, 1 wait in it")

    def test_stopped_in_evaluate(self):
        job, _ = self.start_held(*self.evaluation(), "--hang-timeout", LIMIT)
        os.kill(pid_of_rank(job, 2), signal.SIGSTOP)
        self.assert_ended(job, f"rank 2 on {HOST} has not come to ", "ranks 0, 1 wait in it")

    def test_stopped_in_bench(self):
        job, _ = self.start_held("bench", "--hidden", 16, "--hang-timeout", LIMIT)
        os.kill(pid_of_rank(job, 2), signal.SIGSTOP)
        self.assert_ended(job, f"rank 2 on {HOST} has not come to ", "ranks 0, 1 wait in it")

    def assert_waited_for(self, *arguments):
        """A rank that is at work for twice the limit ends nothing."""
        job, sign = self.start_held(*arguments, "--hang-timeout", LIMIT)
        time.sleep(2 * LIMIT)
        sign.unlink()
        self.assert_exit(job.wait(), DONE)

    def test_busy_in_training(self):
        self.assert_waited_for(*self.TRAIN)

    def test_busy_in_evaluate(self):
        self.assert_waited_for(*self.evaluation())

    def test_busy_for_ten_times_the_limit(self):
        job, _ = self.start_held(*self.TRAIN, "--hang-timeout", 3)
        self.assert_ended(job, f"rank 2 on {HOST} has not come to ", " for 30 s; ranks 0, 1 wait in it; a busy rank ")

    def test_busy_where_the_run_is_to_stop(self):
        """The others hear no signal while they wait; it counts all the same."""
        job, _ = self.start_held(*self.TRAIN, "--hang-timeout", 2 * LIMIT)
        os.kill(pid_of_rank(job, 0), signal.SIGTERM)
        result = job.wait()
        self.assert_one_error(result, RANK_FAILED, f"rank 2 on {HOST} has not come to ")
        seconds = int(re.search(r" for (\d+) s;", result.stderr)[1])
        self.assertLess(seconds, 20 * LIMIT)


class Start(HangTest):
    def test_stopped_before_mpi_starts(self):
        arguments = ("train", Shared.data, "-o", "run", "--hang-timeout", 1)
        job = self.start(*arguments, ":", "-np", 1, "sh", "-c", 'kill -STOP $$; exec "$@"', "sh", MNIST_DIST,
                         *arguments, ranks=2)
        self.assert_ended(job, "rank 0 waits in the start of MPI for ", "another rank or the network does not answer")

    def test_values_that_are_no_limit(self):
        for command in ("train", "evaluate", "bench"):
            for value in (-1, 86401, "soon"):
                self.assert_one_error(self.run_program(command, "--hang-timeout", value), USAGE, "--hang-timeout",
                                      value)


if __name__ == "__main__":
    main()
