"""Checks what a run leaves behind against the documented formats and an independent computation in numpy: the model,
the report, the metrics, predictions."""

import json
import os
import shutil
import signal
import unittest.mock
from pathlib import Path

import runner
from program import (ENDLESS, FILE_SYSTEM, FOREVER, HANG, LONG_EPOCHS, METRICS_COLUMNS, SEAL, STOPPED_EARLY,
                     ProgramTest, Shared, draw_digits, h5py, main, newest_checkpoint, numpy, pack, read_metrics, sha256,
                     wait_until, without_times)

SCORE_NAMES = [
    "accuracy", "balanced accuracy", "f1 score", "precision", "recall", "specificity", "negative predictive value",
    "false discovery rate", "miss rate", "fall out", "false omission rate", "mcc", "informedness", "markedness",
    "true positives", "true negatives", "false positives", "false negatives", "cardinality"]


class Trained:
    """Made once: a model that is good but not perfect."""

    run = None


def setUpModule():
    Shared.make()
    Trained.run = Shared.train("runs/trained", "--epochs", 12, "--hidden", "40,30", *ENDLESS)


class NumpyModel:
    """The network of a model.h5 in float64, from the documented format alone."""

    def __init__(self, path):
        with h5py.File(path) as file:
            self.slope = float(file.attrs["leaky_relu_slope"])
            self.classes = [name.decode() for name in file["classes"][()]]
            self.mean = file["mean"][()].astype(numpy.float64)
            self.deviation = file["standard_deviation"][()].astype(numpy.float64)
            self.layers = [(file[f"layers/{number}/weights"][()].astype(numpy.float64),
                            file[f"layers/{number}/biases"][()].astype(numpy.float64))
                           for number in range(1, len(file["layers"]) + 1)]

    def probabilities(self, images):
        """[rows x classes] of u8 [rows x height x width]."""
        varies = self.deviation > 0
        values = numpy.where(varies, (images - self.mean) / numpy.where(varies, self.deviation, 1), 0)
        values = values.reshape(len(images), -1)
        for weights, biases in self.layers[:-1]:
            values = values @ weights + biases
            values = numpy.where(values > 0, values, self.slope * values)
        weights, biases = self.layers[-1]
        values = values @ weights + biases
        values = numpy.exp(values - values.max(axis=1, keepdims=True))
        return values / values.sum(axis=1, keepdims=True)


def test_images():
    with h5py.File(Shared.data) as data:
        return (data["test/images"][()], data["test/labels"][()].astype(int),
                [name.decode() for name in data["test/names"][()]])


class RunFolder(ProgramTest):
    def test_config_gives_the_same_model(self):
        again = self.train("again", "--config", Trained.run / "config.toml", ranks=3)
        self.assert_same_run(again, Trained.run)
        self.assertEqual((again / "config.toml").read_text(encoding="utf-8"),
                         (Trained.run / "config.toml").read_text(encoding="utf-8"))

    def test_command_line_wins_over_config(self):
        changed = self.train("changed", "--config", Trained.run / "config.toml", "--epochs", 2, "--seed", 5)
        lines = (changed / "config.toml").read_text(encoding="utf-8").splitlines()
        for line in ("epochs = 2", "seed = 5", "hidden = [40, 30]", f'data = "{Shared.data}"'):
            self.assertIn(line, lines)

    def test_metrics(self):
        lines = (Trained.run / "metrics.csv").read_text(encoding="utf-8").splitlines()
        self.assertEqual(lines[0], "epoch,score,loss,accuracy,seconds,images_per_second")
        self.assertEqual(lines[0].split(","), METRICS_COLUMNS)
        rows = read_metrics(Trained.run)
        self.assertEqual([row["epoch"] for row in rows], [str(epoch) for epoch in range(1, 13)])
        for row in rows:
            self.assertLess(0, float(row["seconds"]))
            # 1200 images, of which each class's tenth is held out.
            self.assertAlmostEqual(float(row["images_per_second"]) * float(row["seconds"]), 1080, delta=2)
        self.assertLess(float(rows[-1]["loss"]), float(rows[0]["loss"]) / 2)

    def test_json_lines_tell_the_same(self):
        lines = (Trained.run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        for row, csv_row in zip(rows, read_metrics(Trained.run), strict=True):
            for name in ("epoch", "score", "loss", "accuracy"):
                self.assertEqual(row[name], float(csv_row[name]))
            self.assertEqual(row["rows"], 1080)
            self.assertEqual(row["steps"], 11 * row["epoch"])
        best = [row["epoch"] for row in rows if row["best"]][-1]
        self.assertEqual(rows[best - 1]["score"], max(row["score"] for row in rows))

    def test_model_is_that_of_the_best_epoch(self):
        rows = [json.loads(line) for line in (Trained.run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
        best = max(rows, key=lambda row: (row["score"], -row["epoch"]))
        with h5py.File(Trained.run / "model.h5") as model, h5py.File(Shared.data) as data, \
                h5py.File(newest_checkpoint(Trained.run)) as checkpoint:
            self.assertEqual(model.attrs["epoch"], best["epoch"])
            self.assertEqual(model.attrs["score"], best["score"])
            self.assertEqual(model.attrs["dataset_sha256"], data.attrs["content_sha256"])
            self.assertTrue(numpy.array_equal(model["mean"], data["train/mean"]))
            self.assertTrue(numpy.array_equal(model["standard_deviation"], data["train/standard_deviation"]))
            self.assertEqual(list(model["classes"]), list(data["classes"]))
            flat = numpy.concatenate([model[f"layers/{layer}/{part}"][()].ravel()
                                      for layer in (1, 2, 3) for part in ("weights", "biases")])
            self.assertTrue(numpy.array_equal(flat, checkpoint["best_parameters"][()]))

    def test_the_best_is_kept_when_it_gets_worse(self):
        # With such a window a run always ends two epochs after its best one.
        options = ("--hidden", "40", "--learning-rate", 0.05, "--window", 2, "--min-change", 0)
        run = self.train("worse", "--epochs", 1000, *options)
        rows = read_metrics(run)
        best = max(range(len(rows)), key=lambda row: float(rows[row]["score"]))
        self.assertEqual(best, len(rows) - 3)
        # The first epochs of a run do not know how many are to come.
        until_best = self.train("until_best", "--epochs", best + 1, *options)
        self.assertEqual(without_times(rows)[: best + 1], without_times(read_metrics(until_best)))
        self.assertEqual(sha256(run / "model.h5"), sha256(until_best / "model.h5"))

    def test_default_folder_and_latest(self):
        for _ in range(2):
            self.succeed("train", Shared.data, "--epochs", 1, "--hidden", 8)
        runs = sorted(path for path in (self.folder / "runs").iterdir() if not path.is_symlink())
        self.assertEqual(len(runs), 2)
        for run in runs:
            self.assertRegex(run.name, r"^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ(-2)?$")
        latest = self.folder / "runs" / "latest"
        self.assertEqual(os.readlink(latest), max(runs, key=lambda run: (run / "model.h5").stat().st_mtime_ns).name)
        self.succeed("evaluate", Shared.data)
        self.assertTrue((latest / "report.json").is_file())

    def test_links(self):
        """They stay, and what they lead to is written."""
        (self.folder / "disk").mkdir()
        (self.folder / "run").symlink_to("disk")
        (self.folder / "report").symlink_to("disk/report")
        self.train("run", "--epochs", 1, "--hidden", 8)
        self.resume("run/", "--epochs", 2)
        self.succeed("evaluate", Shared.data, "-m", "run", "--report", "report")
        self.assertEqual(len(read_metrics(self.folder / "disk")), 2)
        self.assertTrue((self.folder / "disk" / "report").is_file())
        self.assertEqual([os.readlink(self.folder / name) for name in ("run", "report", "runs/latest")],
                         ["disk", "disk/report", "../disk"])

    def test_stop_conditions(self):
        window = self.succeed("train", Shared.data, "-o", "window", "--learning-rate", 0, "--min-change", 0,
                              "--window", 3)
        self.assertIn("--window", window)
        self.assertEqual(len(read_metrics(self.folder / "window")), 4)
        change = self.succeed("train", Shared.data, "-o", "change", "--min-change", 1000)
        self.assertIn("--min-change", change)
        self.assertLess(len(read_metrics(self.folder / "change")), 5)
        self.assertIn("--epochs", self.succeed("train", Shared.data, "-o", "epochs", "--epochs", 2, *ENDLESS))


class NothingLeft(ProgramTest):
    """Neither in the temporary folder nor in shared memory, however a run ends that was not killed."""

    def setUp(self):
        super().setUp()
        self.places = [self.folder / "temporary"]
        changed = {"TMPDIR": str(self.places[0]), runner.SESSION_FOLDER: str(self.places[0])}
        for name in runner.SEGMENT_FOLDERS:
            if name in os.environ:  # a folder of shared memory
                self.places.append(Path(os.environ[name]) / self.id())
                changed[name] = str(self.places[-1])
        for place in set(self.places):
            place.mkdir()
            self.addCleanup(shutil.rmtree, place, ignore_errors=True)  # Open MPI may be at it too
        self.enterContext(unittest.mock.patch.dict(os.environ, changed))

    def files(self):
        """Open MPI takes folders away meanwhile, which os.walk() passes over."""
        return [os.path.join(folder, name) for place in self.places for folder, _, names in os.walk(place)
                for name in names]

    def assert_nothing_left(self):
        wait_until(lambda: not self.files(), f"the end of {self.files()}", HANG)

    def test_done_refused_and_stopped(self):
        self.train("done", "--epochs", 1, "--hidden", 8, ranks=3)
        self.assert_nothing_left()
        self.assert_exit(self.run_program("train", "nothing.h5", ranks=3), FILE_SYSTEM)
        self.assert_nothing_left()
        for ranks in (3, None):
            run = f"stopped-{ranks}"
            job = self.start("train", Shared.data, "-o", run, "--epochs", FOREVER, *LONG_EPOCHS, ranks=ranks)
            self.wait_for_epoch(job, self.folder / run, 1)
            self.assertNotEqual(self.files(), [], "no file to look for: this test could not fail")
            job.process.send_signal(signal.SIGUSR1)
            self.assert_exit(job.wait(), STOPPED_EARLY)
            self.assert_nothing_left()


class Evaluation(ProgramTest):
    def evaluate(self, name, *options, ranks=None, data=None):
        self.succeed("evaluate", data or Shared.data, "-m", Trained.run, "--report", name, *options, ranks=ranks)
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    def test_accuracy_and_matrix_agree_with_numpy(self):
        images, labels, _ = test_images()
        predicted = NumpyModel(Trained.run / "model.h5").probabilities(images).argmax(axis=1)
        report = self.evaluate("report.json")
        correct = int((predicted == labels).sum())
        self.assertTrue(60 < correct < 300, "too bad or too good a model for this test")
        exact = report["exact accuracy"]
        self.assertEqual((exact["correct"], exact["total"]), (correct, 300))
        self.assertAlmostEqual(exact["accuracy"], correct / 300, places=12)
        low, high = exact["interval 95%"]
        self.assertTrue(0 < low < exact["accuracy"] < high < 1)
        for row in range(10):
            for column in range(10):
                count = int(((predicted == row) & (labels == column)).sum())
                self.assertEqual(report["matrix"][str(row)][str(column)], count, (row, column))

    def test_keys(self):
        report = self.evaluate("report.json")
        self.assertEqual(list(report), ["dataset_sha256", "split", "exact accuracy", "breakdown", "matrix"])
        with h5py.File(Trained.run / "model.h5", "r") as model:
            self.assertEqual(report["dataset_sha256"], model.attrs["dataset_sha256"].decode())
        self.assertEqual(report["split"], "test")
        self.assertEqual(list(report["breakdown"]), ["overall", "classes"])
        self.assertEqual(list(report["breakdown"]["overall"]), SCORE_NAMES)
        self.assertEqual(list(report["breakdown"]["classes"]), [str(digit) for digit in range(10)])
        for scores in report["breakdown"]["classes"].values():
            self.assertEqual(list(scores), [*SCORE_NAMES, "proportion"])
            self.assertEqual(scores["cardinality"], 30)
            self.assertAlmostEqual(scores["proportion"], 0.1)

    def test_scores_follow_from_the_matrix(self):
        report = self.evaluate("report.json")
        matrix = numpy.array([list(row.values()) for row in report["matrix"].values()])
        for digit, scores in enumerate(report["breakdown"]["classes"].values()):
            right = int(matrix[digit, digit])
            self.assertEqual(scores["true positives"], right)
            self.assertEqual(scores["false positives"], int(matrix[digit].sum()) - right)
            self.assertEqual(scores["false negatives"], int(matrix[:, digit].sum()) - right)
            self.assertAlmostEqual(scores["precision"], right / matrix[digit].sum())
            self.assertAlmostEqual(scores["recall"], right / matrix[:, digit].sum())
            self.assertAlmostEqual(scores["f1 score"], 2 * right / (matrix[digit].sum() + matrix[:, digit].sum()))

    def test_same_report_for_any_number_of_ranks(self):
        reports = [self.evaluate(f"of-{ranks}.json", ranks=ranks) for ranks in (None, 1, 3, 9)]
        for report in reports[1:]:
            self.assertEqual(report, reports[0])

    def test_report_lies_beside_the_model(self):
        run = self.folder / "run"
        shutil.copytree(Trained.run, run)
        for model in (run, run / "model.h5"):
            self.succeed("evaluate", Shared.data, "-m", model)
            (run / "report.json").unlink()

    def test_prints_what_it_reports(self):
        report = self.evaluate("report.json")
        output = self.succeed("evaluate", Shared.data, "-m", Trained.run, "--report", "report.json", ranks=2)
        self.assertEqual(output.count(f"{report['exact accuracy']['correct']} of 300 images right"), 1)


class Prediction(ProgramTest):
    def predict(self, *images, model=None):
        """The JSON objects that the program prints."""
        output = self.succeed("predict", "--json", model or Trained.run, *images)
        return [json.loads(line) for line in output.splitlines()]

    def assert_predicts(self, prediction, pixels):
        """The same label and probabilities as numpy computes from these pixels."""
        model = NumpyModel(Trained.run / "model.h5")
        expected = model.probabilities(pixels[numpy.newaxis])[0]
        self.assertEqual(list(prediction["probabilities"]), model.classes)
        for name, probability in zip(model.classes, expected):
            self.assertAlmostEqual(prediction["probabilities"][name], probability, delta=1e-4)
        self.assertEqual(prediction["label"], model.classes[expected.argmax()])
        self.assertAlmostEqual(prediction["probability"], expected.max(), delta=1e-4)

    def test_agrees_with_numpy(self):
        images, _, names = test_images()
        chosen = range(0, 300, 15)
        predictions = self.predict(*(Shared.digits / names[row] for row in chosen))
        self.assertGreater(len({prediction["label"] for prediction in predictions}), 5)
        for row, prediction in zip(chosen, predictions, strict=True):
            self.assertEqual(prediction["image"], str(Shared.digits / names[row]))
            self.assert_predicts(prediction, images[row])

    def test_plain_lines_tell_the_same(self):
        _, _, names = test_images()
        files = [Shared.digits / name for name in names[:5]]
        lines = self.succeed("predict", Trained.run / "model.h5", *files).splitlines()
        for line, prediction in zip(lines, self.predict(*files), strict=True):
            self.assertEqual(line.split(), [prediction["image"], prediction["label"],
                                            format(prediction["probability"], ".4f")])

    def test_image_of_another_size_as_h5pack_packs_it(self):
        """28x28 is the model's; these are drawn at 45x45, and packed with --size."""
        large = draw_digits(self.folder / "large", 20, 20, "--size", "45")
        with h5py.File(pack(large, "--size", "28x28")) as data:
            images = data["test/images"][()]
            names = [name.decode() for name in data["test/names"][()]]
        predictions = self.predict(*(large / name for name in names))
        for prediction, pixels in zip(predictions, images, strict=True):
            self.assert_predicts(prediction, pixels)


class Info(ProgramTest):
    def test_all_four_kinds(self):
        model = self.succeed("info", Trained.run / "model.h5")
        for words in (": a model", "784-40-30-10", "28x28 grey", "10: 0, 1, 2", "content_sha256"):
            self.assertIn(words, model)
        data = self.succeed("info", Shared.data)
        for words in (": a data set", "1200 for training, 300 for testing", "28x28 grey"):
            self.assertIn(words, data)
        checkpoint = self.succeed("info", newest_checkpoint(Trained.run))
        for words in (": a checkpoint", "12 epochs (132 steps in all)", "hidden = [40, 30]"):
            self.assertIn(words, checkpoint)
        run = self.succeed("info", Trained.run)
        for words in (": a run", "12 epochs (132 steps in all)", "784-40-30-10", "hidden = [40, 30]"):
            self.assertIn(words, run)

    def test_what_a_file_says_does_not_reach_the_terminal_raw(self):
        hostile = "a\x1b[2J\r\x07\x7fb\n"
        checkpoint = shutil.copy(newest_checkpoint(Trained.run), self.folder)
        with h5py.File(checkpoint, "r+") as file:
            file.attrs["settings"] = numpy.bytes_(hostile.encode())
        self.assertTrue(self.succeed("info", checkpoint).endswith("settings\na?[2J???b\n"))

        run = self.folder / "run"  # without a checkpoint
        run.mkdir()
        (run / "config.toml").write_text(hostile, encoding="utf-8")
        self.assertTrue(self.succeed("info", run).endswith("settings\na?[2J???b\n"))

        data = self.folder / "data.h5"
        data.write_bytes(Shared.data.read_bytes()[:-SEAL])
        with h5py.File(data, "r+") as file:
            classes = file["classes"][()]
            classes[3] = b"\x1b]\x07"[:classes.dtype.itemsize]
            file["classes"][...] = classes
        self.assertIn("0, 1, 2, ?", self.succeed("info", data))

    def test_agrees_with_h5pack(self):
        with h5py.File(Shared.data) as data:
            self.assertIn(data.attrs["content_sha256"].decode(), self.succeed("info", Shared.data))
            self.assertIn(data.attrs["content_sha256"].decode(), self.succeed("info", Trained.run / "model.h5"))


if __name__ == "__main__":
    main()
