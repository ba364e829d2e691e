"""train --init-from: the network begins as the model, gives the same bits on any number of ranks, and needs the model's
file no more once it has begun."""

import os
import shutil
import tomllib

from program import (BAD_DATA, ENDLESS, FILE_SYSTEM, FOREVER, USAGE, ProgramTest, Shared, draw_digits,
                     epochs_in_newest_checkpoint, h5py, main, newest_checkpoint, pack, read_metrics, sha256, wait_until)

HIDDEN = [24, 12]


class Files:
    """A trained model, and data sets that it was not trained on."""

    base = None
    model = None
    others = None         # other images of the same classes
    other_classes = None  # four of them

    @classmethod
    def make(cls):
        Shared.make()
        cls.base = Shared.train("base", "--epochs", 8, "--hidden", "24,12", "--activation", "gelu")
        cls.model = cls.base / "model.h5"
        folder = draw_digits(Shared.folder / "others", 400, 100, "--seed", "5")
        cls.others = pack(folder)
        for digit in range(4, 10):
            for split in ("training", "testing"):
                shutil.rmtree(folder / split / str(digit))
        cls.other_classes = pack(folder.rename(Shared.folder / "few"))


setUpModule = Files.make


def config_of(run):
    return tomllib.loads((run / "config.toml").read_text(encoding="utf-8"))


def layers_of(path):
    """Weights and biases of a model, layer after layer."""
    with h5py.File(path) as model:
        return [model[f"layers/{number}/{kind}"][()] for number in range(1, len(model["layers"]) + 1)
                for kind in ("weights", "biases")]


class Begins(ProgramTest):
    # Nothing is learnt: what the training begins with is what it ends with.
    STILL = ("--learning-rate", 0, "--epochs", 1, "--holdout", 0)

    def test_with_the_model(self):
        run = self.train("run", "--init-from", Files.base, *self.STILL)
        for mine, models in zip(layers_of(run / "model.h5")[2:], layers_of(Files.model)[2:], strict=True):
            self.assertTrue((mine == models).all())
        config = config_of(run)
        self.assertEqual([config[name] for name in ("init-from", "hidden", "activation")],
                         [str(Files.model.resolve()), HIDDEN, "gelu"])

    def test_with_the_models_answers_to_other_images(self):
        run = self.train("run", "--init-from", Files.model, *self.STILL, data=Files.others)
        answers = [self.succeed("evaluate", Files.others, "-m", model, "-r", "report.json").splitlines()[2]
                   for model in (run, Files.model)]
        self.assertEqual(answers[0], answers[1])
        self.assertNotEqual(sha256(run / "model.h5"), sha256(Files.model))

    def test_with_a_fresh_last_layer_for_other_classes(self):
        output = self.succeed("train", Files.other_classes, "-o", "run", "--init-from", Files.model, *self.STILL)
        self.assertIn(f"\nstart    {Files.model.resolve()}, all its layers but the last, ", output)
        fresh = self.train("fresh", "--hidden", "24,12", "--activation", "gelu", *self.STILL, data=Files.other_classes)
        mine, models, others = (layers_of(path) for path in (self.folder / "run/model.h5", Files.model,
                                                             fresh / "model.h5"))
        self.assertTrue((mine[2] == models[2]).all())
        self.assertTrue((mine[4] == others[4]).all())

    def test_ahead_of_random_weights(self):
        tuned = self.train("tuned", "--init-from", Files.model, "--epochs", 1)
        random = self.train("random", "--hidden", "24,12", "--activation", "gelu", "--epochs", 1)
        self.assertLess(float(read_metrics(tuned)[0]["loss"]), float(read_metrics(random)[0]["loss"]))


class SameBits(ProgramTest):
    def test_any_number_of_ranks(self):
        for data in (Files.others, Files.other_classes):
            options = ("--init-from", Files.model, "--epochs", 2, "--average", 0.99, *ENDLESS)
            runs = [self.train(f"{data.stem}-{ranks}", *options, ranks=ranks, data=data) for ranks in (1, 2, 3)]
            for run in runs[1:]:
                self.assert_same_run(run, runs[0])

    def test_config_takes_it_back(self):
        run = self.train("run", "--init-from", Files.base, "--epochs", 2, data=Files.others)
        again = self.train("again", "--config", run / "config.toml", data=Files.others)
        self.assert_same_run(again, run)

    def test_a_link_leads_to_what_it_led_to(self):
        (self.folder / "runs").mkdir()
        os.symlink(Files.base, self.folder / "runs/latest")
        self.train("runs/one", "--init-from", "runs/latest", "--epochs", 2)
        self.assertEqual((self.folder / "runs/latest").resolve(), (self.folder / "runs/one").resolve())
        again = self.train("again", "--config", "runs/one/config.toml")
        self.assert_same_run(again, self.folder / "runs/one")


class Resumed(ProgramTest):
    def test_without_the_models_file(self):
        """A checkpoint of the start is the first thing saved."""
        model = shutil.copy(Files.model, self.folder / "base.h5")
        options = ("--init-from", model, *ENDLESS)
        undisturbed = self.train("undisturbed", *options, "--epochs", 3)
        job = self.start("train", Shared.data, "-o", "run", *options, "--epochs", FOREVER, "--checkpoint-every",
                         FOREVER)
        run = self.folder / "run"
        wait_until(lambda: (run / "checkpoints/manifest.json").exists() or read_metrics(run), "a checkpoint")
        job.kill()
        self.assertEqual(epochs_in_newest_checkpoint(run), 0)
        os.remove(model)
        self.resume(run, "--init-from", model, "--epochs", 3, ranks=2)  # the same model as recorded
        self.assert_same_run(run, undisturbed)

    def test_from_no_other_model(self):
        run = self.train("run", "--init-from", Files.base, "--epochs", 1)
        self.resume(run, "--init-from", Files.base)
        other = shutil.copy(Files.model, self.folder / "other.h5")
        result = self.run_program("train", "--resume", run, "--init-from", other)
        self.assert_one_error(result, USAGE, "--init-from cannot be changed by --resume", "run/config.toml")
        plain = self.train("plain", "--epochs", 1, "--hidden", 8)
        result = self.run_program("train", "--resume", plain, "--init-from", Files.model)
        self.assert_one_error(result, USAGE, "--init-from cannot be changed by --resume")


class Refused(ProgramTest):
    def assert_refused(self, exit_code, mentions, *options, data=None):
        for ranks in (None, 3):
            result = self.run_program("train", data or Shared.data, "-o", "run", *options, ranks=ranks)
            self.assert_one_error(result, exit_code, *mentions)
            self.assertFalse((self.folder / "run").exists())

    def test_wrong_files(self):
        text = self.folder / "notes.txt"
        text.write_text("not a model\n", encoding="utf-8")
        self.assert_refused(FILE_SYSTEM, ["nothing.h5", "No such file"], "--init-from", "nothing.h5")
        self.assert_refused(FILE_SYSTEM, ["model.h5", "No such file"], "--init-from", Files.base / "checkpoints")
        for wrong in (text, Shared.data, newest_checkpoint(Files.base)):
            self.assert_refused(BAD_DATA, [wrong, "model"], "--init-from", wrong)

    def test_a_damaged_model(self):
        damaged = self.folder / "damaged.h5"
        whole = bytearray(Files.model.read_bytes())
        whole[len(whole) // 2] ^= 1
        damaged.write_bytes(whole)
        self.assert_refused(BAD_DATA, [damaged, "damaged"], "--init-from", damaged)

    def test_images_of_another_size(self):
        small = pack(draw_digits(self.folder / "small", 100, 50, "--size", "20"))
        self.assert_refused(BAD_DATA, [small, "20x20x1", Files.model, "28x28x1", "h5pack pack --size 28x28"],
                            "--init-from", Files.model, data=small)

    def test_another_network(self):
        self.assert_refused(USAGE, ["--init-from", Files.model, "hidden [24, 12]"], "--init-from", Files.base,
                            "--hidden", "24,13")
        (self.folder / "mine.toml").write_text('activation = "relu"\n', encoding="utf-8")
        self.assert_refused(USAGE, ['activation "gelu"'], "--init-from", Files.base, "--config", "mine.toml")

    def test_a_linear_model_of_other_classes(self):
        (self.folder / "linear.toml").write_text("hidden = []\nepochs = 1\n", encoding="utf-8")
        linear = self.train("linear", "--config", "linear.toml")
        self.assert_refused(BAD_DATA, [Files.other_classes, "nothing of it"], "--init-from", linear,
                            data=Files.other_classes)


if __name__ == "__main__":
    main()
