"""A host is lost in mid-training: its link is cut, or all that runs on it is killed. All ranks end by themselves, the
lost host is named, and the run goes on without it, to the bits of a run that nobody disturbed."""

import re
import time

from cluster import ClusterTest, setUpModule
from program import ENDLESS, FOREVER, HANG, Shared, is_program, main, read_metrics, wait_until

# mpirun's exit codes when it has lost the way to a host, and when it notices first that ssh has.
LOST_DAEMON, LOST_SSH = 205, 255
NO_KEEPALIVE = ("--mca", "oob_tcp_keepalive_time", "0")
OPTIONS = ("--hidden", "64,32", "--batch-size", "8", *ENDLESS)


class LostHost(ClusterTest):
    COUNT = 3

    def train_forever(self, *options, settings=()):
        """A training with a rank on each host, which has just told of its second epoch. @param settings: more of
        mpirun's"""
        job = self.start("train", Shared.data, "-o", "run", "--epochs", FOREVER, *OPTIONS, *options,
                         ranks=self.over(1, 1, 1, options=settings))
        wait_until(lambda: re.search("(?m)^ +2 ", job.output()) or job.process.poll() is not None, "epoch 2")
        self.assertIsNone(job.process.poll(), job.errors())
        return job

    def at_work(self):
        return [pid for index in range(self.COUNT) for pid in self.hosts.at_work(index)]

    def ranks_at_work(self):
        return [pid for pid in self.at_work() if is_program(pid)]

    def assert_goes_on_without(self, lost):
        """From the newest checkpoint, on the other hosts, to the bits of an undisturbed run of as many epochs."""
        run = self.folder / "run"
        epochs = len(read_metrics(run)) + 1
        others = [None if index == lost else 1 for index in range(self.COUNT)]
        printed = self.resume("run", "--epochs", epochs, ranks=self.over(*others))
        self.assertRegex(printed, "ranks +2 on 2 hosts")
        self.assert_checkpoints_whole(run)
        self.assert_same_run(run, self.train("undisturbed", *OPTIONS, "--epochs", epochs))


class CutLink(LostHost):
    def assert_survived(self, lost):
        # The system sends no keepalives while something else is not answered: should rank 0 print at this very moment,
        # its daemon stays on the lost host, and the hang watch ends the rank.
        job = self.train_forever("--hang-timeout", 5)
        self.hosts.cut(lost)
        result = job.wait(HANG)
        self.assert_exit(result, LOST_DAEMON)
        self.assertRegex(result.stderr, f"(?m)^ *Remote daemon: .* on node {self.hosts.names[lost]}$")
        wait_until(lambda: not self.ranks_at_work(), "the end of all ranks", HANG)
        if lost != 0:
            wait_until(lambda: not self.at_work(), "the end of all processes", HANG)
        self.assert_goes_on_without(lost)

    def test_the_writer(self):
        self.assert_survived(0)

    def test_another(self):
        self.assert_survived(2)

    def test_for_a_moment(self):
        """TCP sends again what was lost, and nobody ends."""
        job = self.train_forever(settings=NO_KEEPALIVE)
        self.hosts.cut(1)
        time.sleep(1)
        self.hosts.mend(1)
        self.wait_for_epoch(job, self.folder / "run", len(read_metrics(self.folder / "run")) + 2)

    def test_without_keepalive(self):
        """As mpirun is by itself: it notices nothing for minutes. The ranks end all the same."""
        job = self.train_forever("--hang-timeout", 2, settings=NO_KEEPALIVE)
        self.hosts.cut(1)
        wait_until(lambda: not self.ranks_at_work(), "the end of all ranks", HANG)
        others = f"{self.hosts.names[0]}|{self.hosts.names[2]}"
        self.assertRegex(job.errors(), f"(?m)^mnist-dist: error: no rank of ({others}) is missing, but rank [02] waits "
                                       rf"in .* for \d+ s: a rank on another host \(.*{self.hosts.names[1]}.*\) or the "
                                       "network does not answer$")
        job.kill()
        self.assert_goes_on_without(1)


class KilledHost(LostHost):
    def assert_survived(self, lost):
        job = self.train_forever()
        self.hosts.kill(lost)
        result = job.wait(HANG)
        self.assertIn(result.returncode, (LOST_DAEMON, LOST_SSH))
        self.assertRegex(result.stderr, f"(?m)^Connection to {self.hosts.names[lost]} closed by remote host.$")
        wait_until(lambda: not self.at_work(), "the end of all processes", HANG)
        self.assert_goes_on_without(lost)

    def test_the_writer(self):
        self.assert_survived(0)

    def test_another(self):
        self.assert_survived(1)


if __name__ == "__main__":
    main()
