"""Attacks promise 1: the model depends on the data, the configuration and the seed, and not on the number of ranks or
of restarts."""

import os
import random
import signal
import time
import unittest
from pathlib import Path

from program import (DONE, ENDLESS, FOREVER, HANG, LONG_EPOCHS, STOPPED_EARLY, Job, ProgramTest, Shared, draw_digits,
                     epochs_in_newest_checkpoint, h5py, kill, main, pack, read_manifest, read_metrics, sha256, shim,
                     take_hangups, wait_until, without_times)

setUpModule = Shared.make

EVERY_FEATURE = ("--optimizer", "adam", "--activation", "gelu", "--schedule", "cosine", "--warmup-steps", 7,
                 "--learning-rate", 0.003, "--weight-decay", 0.01, "--clip-norm", 0.5, "--label-smoothing", 0.1,
                 "--average", 0.999, "--dropout", 0.1, "--rotation", 12, "--scaling", 0.12, "--shear", 0.15,
                 "--shift", 2, "--elastic", 3, "--elastic-smoothing", 4, "--deviation-floor", 40)


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

    def test_layers_larger_than_a_cache(self):
        self.assert_same_for((1, 2, 3, 8), "--epochs", 2, "--batch-size", 200, "--hidden", "600,520")

    def test_every_feature(self):
        self.assert_same_for((1, 2, 3, 8), "--epochs", 3, *EVERY_FEATURE)

    def test_other_optimizers_and_activations(self):
        for name, options in (("sgd", ("--optimizer", "sgd", "--schedule", "step", "--decay-every", 1)),
                              ("relu", ("--activation", "relu", "--weight-decay", 0.1))):
            with self.subTest(name):
                runs = [self.train(f"{name}-{ranks}", "--epochs", 2, *options, *ENDLESS, ranks=ranks)
                        for ranks in (1, 3)]
                self.assert_same_run(*runs)

    def test_class_weights_and_a_recipe_on_few_small_images(self):
        data = pack(draw_digits(self.folder / "small", 300, 0, "--size", "9"))
        options = ("--recipe", "fast", "--class-weights", "balanced", "--epochs", 3)
        runs = [self.train(f"of-{ranks}", *options, ranks=ranks, data=data) for ranks in (1, 2, 3, 8)]
        for run in runs[1:]:
            self.assert_same_run(run, runs[0])

    def test_products_by_openblas(self):
        """Each microbatch is a product of its own, so they too depend on no rank; but they are rounded otherwise."""
        run = self.assert_same_for((1, 2, 3, 8), "--epochs", 2, "--batch-size", 90, "--products", "openblas")
        kernels = self.train("kernels", "--epochs", 2, "--batch-size", 90, "--products", "kernels", *ENDLESS)
        self.assertNotEqual(parameters_of(run), parameters_of(kernels))
        self.assertRegex(self.succeed("info", run / "model.h5"), r"; OpenBLAS [0-9.]+, core \w+")
        self.assertIn('products = "openblas"', (run / "config.toml").read_text(encoding="utf-8"))

    def test_alone_as_under_mpirun(self):
        self.assert_same_run(self.train("alone", "--epochs", 2), self.train("two", "--epochs", 2, ranks=2))


class EveryFeatureResumed(ProgramTest):
    """All that has a state or a schedule of its own comes back from a checkpoint."""

    OPTIONS = ("--epochs", 4, *EVERY_FEATURE, *ENDLESS)
    # Many steps in an epoch, most of them with a state that no epoch ends with.
    MANY_STEPS = ("--batch-size", 5, "--hidden", "40,30")

    def test_killed_between_checkpoints(self):
        undisturbed = self.train("undisturbed", *self.OPTIONS)
        job = self.start("train", Shared.data, "-o", "run", *self.OPTIONS, ranks=2)
        run = self.folder / "run"
        wait_until(lambda: epochs_in_newest_checkpoint(run) > 0 or job.process.poll() is not None, "a checkpoint")
        job.kill()
        self.resume("run", ranks=5)
        self.assert_same_run(run, undisturbed)

    def test_stopped_within_epochs(self):
        options = (*self.OPTIONS, *self.MANY_STEPS)
        undisturbed = self.train("undisturbed", *options)
        run = self.folder / "run"
        for begin, ranks in ((("train", Shared.data, "-o", "run", *options), 2), (("train", "--resume", "run"), 3)):
            self.stop_within_epoch(lambda: self.start(*begin, ranks=ranks), run, signal.SIGUSR1)
        self.resume("run", ranks=5)
        self.assert_same_run(run, undisturbed)


class PlainAllreduce(ProgramTest):
    """--reduction mpi promises no bits, but the same training."""

    def test_trains_alike(self):
        options = ("--epochs", 4, "--batch-size", 50, *ENDLESS)
        tree = read_metrics(self.train("tree", *options))
        for ranks in (1, 3):
            allreduce = read_metrics(self.train(f"mpi-{ranks}", "--reduction", "mpi", *options, ranks=ranks))
            for row, expected in zip(allreduce, tree, strict=True):
                self.assertAlmostEqual(float(row["loss"]), float(expected["loss"]), delta=2e-3)

    def test_resumes(self):
        options = ("--reduction", "mpi", *ENDLESS)
        undisturbed = self.train("undisturbed", *options, "--epochs", 3, ranks=2)
        self.train("resumed", *options, "--epochs", 1, ranks=2)
        self.resume("resumed", "--epochs", 3, ranks=2)
        self.assert_same_run(self.folder / "resumed", undisturbed)


def parameters_of(run):
    """Their bits alone: a model holds the data set's hash and the score, which tell runs apart without them."""
    with h5py.File(run / "model.h5") as model:
        return b"".join(model[f"layers/{layer}/{part}"][()].tobytes()
                        for layer in range(1, len(model["layers"]) + 1) for part in ("weights", "biases"))


class OtherInputsGiveOtherBits(ProgramTest):
    """If these were equal, the tests above could not fail."""

    def test_seed_and_settings_matter(self):
        parameters = {parameters_of(self.train(f"run-{number}", "--epochs", 2, *options))
                      for number, options in enumerate(((), ("--seed", 1), ("--dropout", 0.21), ("--batch-size", 99)))}
        self.assertEqual(len(parameters), 4)

    def test_data_matter(self):
        other = pack(draw_digits(self.folder / "other", 1200, 300, "--seed", "2"))
        self.assertNotEqual(parameters_of(self.train("one", "--epochs", 1)),
                            parameters_of(self.train("another", "--epochs", 1, data=other)))


class Resumed(ProgramTest):
    """A run that is interrupted and resumed by other numbers of ranks ends as one that was never disturbed."""

    def setUp(self):
        super().setUp()
        self.run_folder = self.folder / "run"

    def start_training(self, ranks, *options):
        return self.start("train", Shared.data, "-o", "run", "--epochs", FOREVER, *LONG_EPOCHS, *options, ranks=ranks)

    def start_resuming(self, ranks):
        return self.start("train", "--resume", "run", ranks=ranks, preexec=take_hangups)

    def assert_goes_on_undisturbed(self, ranks):
        """Resumed, the run gets to where a run that nobody disturbed gets."""
        epochs = epochs_in_newest_checkpoint(self.run_folder) + 2
        self.resume("run", "--epochs", epochs, ranks=ranks)
        self.assertEqual(len(read_metrics(self.run_folder)), epochs)
        self.assert_checkpoints_whole(self.run_folder)
        self.assert_same_run(self.run_folder, self.train("undisturbed", "--epochs", epochs, *LONG_EPOCHS))

    def test_after_each_epoch_with_another_number_of_ranks(self):
        self.train("run", "--epochs", 1, *LONG_EPOCHS, ranks=2)
        for epochs, ranks in ((2, 3), (3, 1), (4, 5), (5, None)):
            output = self.resume("run", "--epochs", epochs, ranks=ranks)
            self.assertIn(f"resumed in epoch {epochs} ", output)
        self.assert_goes_on_undisturbed(ranks=2)

    def test_one_rank_killed(self):
        job = self.start_training(ranks=3)
        self.wait_for_epoch(job, self.run_folder, 2)
        kill(job.ranks()[-1:])
        self.assertNotEqual(job.wait(HANG).returncode, DONE)
        self.assert_checkpoints_whole(self.run_folder)
        self.assert_goes_on_undisturbed(ranks=2)

    def test_power_cuts_at_random_instants(self):
        instants = random.Random(4711)
        job = self.start_training(ranks=2)
        wait_until((self.run_folder / "config.toml").exists, "the run folder")
        for ranks in (1, 3, 2, 1, 3):
            time.sleep(instants.uniform(0.2, 0.8))
            job.kill()
            if epochs_in_newest_checkpoint(self.run_folder) > 0:
                self.assert_checkpoints_whole(self.run_folder)
            job = self.start_resuming(ranks)
        job.kill()
        self.assert_goes_on_undisturbed(ranks=2)

    def test_killed_before_the_first_checkpoint(self):
        job = self.start_training(2, "--checkpoint-every", FOREVER)
        self.wait_for_epoch(job, self.run_folder, 2)
        job.kill()
        self.assertEqual(epochs_in_newest_checkpoint(self.run_folder), 0)
        self.assertNotIn("resumed in epoch", self.resume("run", "--epochs", 1, ranks=3))
        self.assert_same_run(self.run_folder, self.train("undisturbed", "--epochs", 1, *LONG_EPOCHS))

    def test_stopped_by_request_within_epochs(self):
        # mpirun forwards SIGUSR1 and SIGUSR2; without mpirun, the others ask for the same.
        self.stop_within_epoch(lambda: self.start_training(2), self.run_folder, signal.SIGUSR1)
        for stop_signal, ranks in ((signal.SIGUSR2, 3), (signal.SIGTERM, None), (signal.SIGINT, None),
                                   (signal.SIGHUP, None)):
            self.stop_within_epoch(lambda: self.start_resuming(ranks), self.run_folder, stop_signal)
        self.assert_goes_on_undisturbed(ranks=5)

    def test_stopped_before_the_first_step(self):
        held = self.folder / "held.h5"
        held.symlink_to(Shared.data)
        sign = self.folder / "held.h5.held"
        # It is held at this file, so that the signal comes while it begins.
        job = Job(("train", held, "-o", "run", "--epochs", FOREVER, *LONG_EPOCHS), None, self.folder,
                  variables=shim(FILE_SYSTEM_HOLD=held))
        self.addCleanup(job.close)
        wait_until(lambda: sign.exists() or job.process.poll() is not None, "the data set")
        job.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: sign.unlink(missing_ok=True) or job.process.poll() is not None, "the end")
        result = job.wait()
        self.assert_exit(result, STOPPED_EARLY)
        self.assertIn("stopped on request before a step in epoch 1", result.stdout)
        self.assertEqual(read_manifest(self.run_folder)["checkpoints"][-1]["step"], 0)
        self.assert_goes_on_undisturbed(ranks=3)

    def test_hangup_under_nohup(self):
        job = self.start("train", Shared.data, "-o", "run", "--epochs", FOREVER, *LONG_EPOCHS,
                         preexec=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        self.wait_for_epoch(job, self.run_folder, 1)
        job.process.send_signal(signal.SIGHUP)
        # A rank that was told to stop does so within the epoch.
        self.wait_for_epoch(job, self.run_folder, len(read_metrics(self.run_folder)) + 2)

    def test_mpirun_ended_by_sigterm_and_sigint(self):
        """mpirun gives its ranks a second at most; whether they use it or not, nothing is lost."""
        job = self.start_training(ranks=2)
        for stop_signal in (signal.SIGTERM, signal.SIGINT):
            epochs = len(read_metrics(self.run_folder)) + 1
            self.wait_for_epoch(job, self.run_folder, epochs)
            job.process.send_signal(stop_signal)
            job.wait(HANG)
            self.assertGreaterEqual(epochs_in_newest_checkpoint(self.run_folder), epochs)
            self.assert_checkpoints_whole(self.run_folder)
            job = self.start_resuming(ranks=3)
        job.kill()
        self.assert_goes_on_undisturbed(ranks=1)

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
