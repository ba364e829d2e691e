"""Attacks promise 1: the model depends on the data, the configuration and the seed, and not on the number of ranks or
of restarts."""

import os
import random
import signal
import time
import unittest
from pathlib import Path

from program import (DONE, ENDLESS, LONG_EPOCHS, STOPPED_EARLY, ProgramTest, Shared, draw_digits, h5py, kill, main,
                     newest_checkpoint, pack, read_manifest, read_metrics, sha256, wait_until, without_times)

setUpModule = Shared.make


class AnyNumberOfRanks(ProgramTest):
    """Each configuration is trained by several numbers of ranks; all must end in the same bits."""

    def assert_same_for(self, rank_counts, *options):
        runs = [self.train(f"of-{ranks}", *options, *ENDLESS, ranks=ranks) for ranks in rank_counts]
        for run in runs[1:]:
            self.assert_same_run(run, runs[0])
        return runs[0]

    def test_defaults(self):
        run = self.assert_same_for((1, 2, 3, 5, 8), "--epochs", 3)
        self.assertEqual(len(read_metrics(run)), 3)

    def test_odd_batches_and_five_shards(self):
        self.assert_same_for((1, 2, 3, 4, 5), "--epochs", 2, "--batch-size", 37, "--shards", 5, "--dropout", 0.5,
                             "--hidden", "33,17")

    def test_batches_smaller_than_the_shards(self):
        self.assert_same_for((1, 3, 8), "--epochs", 1, "--batch-size", 3, "--hidden", 24)

    def test_one_batch_for_all_rows_without_holdout(self):
        run = self.assert_same_for((1, 3, 7), "--epochs", 3, "--batch-size", 5000, "--holdout", 0, "--dropout", 0)
        self.assertEqual([row["score"] for row in read_metrics(run)], ["", "", ""])

    def test_no_hidden_layer(self):
        (self.folder / "linear.toml").write_text("hidden = []\nepochs = 2\nbatch-size = 7\n", encoding="utf-8")
        run = self.assert_same_for((1, 2, 8), "--config", "linear.toml")
        with h5py.File(run / "model.h5") as model:
            self.assertEqual(list(model["layers"]), ["1"])

    def test_alone_as_under_mpirun(self):
        self.assert_same_run(self.train("alone", "--epochs", 2), self.train("two", "--epochs", 2, ranks=2))


class OtherInputsGiveOtherBits(ProgramTest):
    """If these were equal, the tests above could not fail."""

    def test_seed_and_settings_matter(self):
        hashes = {sha256(self.train(f"run-{number}", "--epochs", 2, *options) / "model.h5")
                  for number, options in enumerate(((), ("--seed", 1), ("--dropout", 0.21), ("--batch-size", 99)))}
        self.assertEqual(len(hashes), 4)

    def test_data_matter(self):
        other = pack(draw_digits(self.folder / "other", 1200, 300, "--seed", "2"))
        self.assertNotEqual(sha256(self.train("one", "--epochs", 1) / "model.h5"),
                            sha256(self.train("another", "--epochs", 1, data=other) / "model.h5"))


class Resumed(ProgramTest):
    """A run that is interrupted and resumed by other numbers of ranks ends as one that was never disturbed."""

    EPOCHS = 6
    undisturbed = None

    def setUp(self):
        super().setUp()
        if Resumed.undisturbed is None:
            Resumed.undisturbed = Shared.train("undisturbed", "--epochs", self.EPOCHS, *LONG_EPOCHS)
        self.run_folder = self.folder / "run"

    def start_training(self, ranks):
        return self.start("train", Shared.data, "-o", "run", "--epochs", self.EPOCHS, *LONG_EPOCHS, ranks=ranks)

    def start_resuming(self, ranks):
        return self.start("train", "--resume", "run", ranks=ranks)

    def wait_for_epoch(self, job, number):
        """Until so many epochs are done: the next one has just begun."""
        wait_until(lambda: len(read_metrics(self.run_folder)) >= number or job.process.poll() is not None,
                   f"epoch {number}")
        self.assertIsNone(job.process.poll(), f"ended before epoch {number}: {job.output()}{job.errors()}")

    def assert_ends_undisturbed(self):
        self.assert_checkpoints_whole(self.run_folder)
        self.assert_same_run(self.run_folder, self.undisturbed)

    def steps_into_epoch(self):
        with h5py.File(newest_checkpoint(self.run_folder)) as checkpoint:
            return int(checkpoint.attrs["steps_done_in_epoch"])

    def test_after_each_epoch_with_another_number_of_ranks(self):
        self.train("run", "--epochs", 1, *LONG_EPOCHS, ranks=2)
        for epochs, ranks in ((2, 3), (3, 1), (4, 5), (5, None), (6, 2)):
            output = self.resume("run", "--epochs", epochs, ranks=ranks)
            self.assertIn(f"resumed in epoch {epochs} ", output)
        self.assert_ends_undisturbed()

    def test_one_rank_killed_in_the_middle_of_an_epoch(self):
        job = self.start_training(ranks=3)
        self.wait_for_epoch(job, 2)
        time.sleep(0.1)
        kill(job.ranks()[-1:])
        self.assertNotEqual(job.wait(20).returncode, DONE)
        self.assertLess(len(read_metrics(self.run_folder)), self.EPOCHS)
        self.assert_checkpoints_whole(self.run_folder)
        self.resume("run", ranks=2)
        self.assert_ends_undisturbed()

    def test_power_cuts_at_random_instants(self):
        instants = random.Random(4711)
        job = self.start_training(ranks=2)
        cuts = 0
        while cuts < 5:
            wait_until(lambda: (self.run_folder / "config.toml").exists(), "the run folder")
            time.sleep(instants.uniform(0.2, 1.0))
            if job.process.poll() is not None:
                break
            job.kill()
            cuts += 1
            if (self.run_folder / "checkpoints" / "manifest.json").exists():
                self.assert_checkpoints_whole(self.run_folder)
            job = self.start_resuming(ranks=1 + cuts % 3)
        self.assert_exit(job.wait(60), DONE)
        self.assertGreater(cuts, 0)
        self.assert_ends_undisturbed()

    def test_killed_before_the_first_checkpoint(self):
        job = self.start_training(ranks=2)
        wait_until(lambda: (self.run_folder / "config.toml").exists(), "the run folder")
        job.kill()
        self.assertFalse((self.run_folder / "checkpoints" / "manifest.json").exists(), "killed too late")
        self.assertNotIn("resumed in epoch", self.resume("run", ranks=3))
        self.assert_ends_undisturbed()

    def test_stopped_by_request_within_epochs(self):
        job = self.start_training(ranks=2)
        # mpirun forwards SIGUSR1; without mpirun, SIGTERM and SIGINT ask for the same.
        for epoch, stop_signal, next_ranks in ((1, signal.SIGUSR1, 3), (2, signal.SIGUSR1, None),
                                               (3, signal.SIGTERM, None), (4, signal.SIGINT, 5)):
            self.wait_for_epoch(job, epoch)
            job.process.send_signal(stop_signal)
            result = job.wait(20)
            self.assert_exit(result, STOPPED_EARLY)
            self.assertIn("--resume run", result.stdout)
            self.assertGreater(self.steps_into_epoch(), 0, f"{stop_signal.name} did not stop within an epoch")
            self.assertEqual(len(read_metrics(self.run_folder)), epoch)
            job = self.start_resuming(next_ranks)
        self.assert_exit(job.wait(60), DONE)
        self.assert_ends_undisturbed()

    def test_mpirun_ended_by_sigterm_and_sigint(self):
        """mpirun gives its ranks a second at most; whether they use it or not, nothing is lost."""
        job = self.start_training(ranks=2)
        for epoch, stop_signal in ((1, signal.SIGTERM), (2, signal.SIGINT)):
            self.wait_for_epoch(job, epoch)
            job.process.send_signal(stop_signal)
            result = job.wait(20)
            self.assertLess(len(read_metrics(self.run_folder)), self.EPOCHS, result)
            self.assertGreaterEqual(read_manifest(self.run_folder)["checkpoints"][-1]["epoch"], epoch)
            self.assert_checkpoints_whole(self.run_folder)
            job = self.start_resuming(ranks=3)
        self.assert_exit(job.wait(60), DONE)
        self.assert_ends_undisturbed()

    def test_resuming_a_finished_run_changes_nothing(self):
        self.train("run", "--epochs", 1, *LONG_EPOCHS)
        before = sha256(self.run_folder / "model.h5"), (self.run_folder / "metrics.csv").read_bytes()
        self.resume("run", ranks=2)
        self.assertEqual(before, (sha256(self.run_folder / "model.h5"), (self.run_folder / "metrics.csv").read_bytes()))


@unittest.skipUnless(os.environ.get("MNIST_DIST_PNG"), "MNIST_DIST_PNG does not give the real MNIST")
class RealMnist(ProgramTest):
    def test_same_bits(self):
        link = self.folder / "mnist"
        link.symlink_to(Path(os.environ["MNIST_DIST_PNG"]).resolve())
        data = pack(link)
        self.train("one", "--epochs", 2, ranks=1, data=data)
        self.train("three", "--epochs", 1, ranks=3, data=data)
        self.resume("three", "--epochs", 2, ranks=2)
        self.assert_same_run(self.folder / "three", self.folder / "one")
        self.assertGreater(float(without_times(read_metrics(self.folder / "one"))[-1]["accuracy"]), 0.9)


if __name__ == "__main__":
    main()
