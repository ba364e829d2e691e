"""Which images choose a model, and `evaluate --split holdout`; JPEG images in `predict`."""

import json
import shutil

from program import (BAD_DATA, USAGE, ProgramTest, Shared, draw_digits, h5py, main, numpy, pack, read_metrics)
from PIL import Image

NETWORK = ("--hidden", "16")


class Holdouts:
    """Made once: a data set that names its holdout and has no test images."""

    digits = None
    data = None

    @classmethod
    def make(cls):
        cls.digits = draw_digits(Shared.folder / "with-validation", 600, 200)
        (cls.digits / "testing").rename(cls.digits / "validation")
        cls.data = pack(cls.digits)


def setUpModule():
    Shared.make()
    Holdouts.make()


class Split(ProgramTest):
    def accuracy(self, *arguments, ranks=None, report="report.json"):
        """What `evaluate` writes and says: rows, and the share of them that was right."""
        output = self.succeed("evaluate", *arguments, "--report", report, ranks=ranks)
        exact = json.loads((self.folder / report).read_text(encoding="utf-8"))["exact accuracy"]
        self.assertIn(f"{exact['correct']} of {exact['total']} images right", output)
        return exact["total"], exact["accuracy"]

    def best_accuracy(self, run):
        best = max(read_metrics(run), key=lambda row: float(row["score"]))
        return float(best["accuracy"])

    def check(self, run, data, rows):
        """`evaluate` finds the rows that training scored, by any number of ranks."""
        for ranks in (None, 2, 3):
            found = self.accuracy(data, "-m", run, "--split", "holdout", ranks=ranks)
            self.assertEqual(found[0], rows)
            self.assertAlmostEqual(found[1], self.best_accuracy(run), places=5)

    def test_the_drawn_holdout_is_found_again(self):
        run = self.train("run", *NETWORK, "--epochs", 3, "--holdout", 0.25, "--seed", 5)
        self.check(run, Shared.data, 300)
        self.assertEqual(self.accuracy(Shared.data, "-m", run)[0], 300)
        self.succeed("evaluate", Shared.data, "-m", run, "--split", "holdout")
        self.assertTrue((run / "report-holdout.json").exists())
        self.assertFalse((run / "report.json").exists())

    def test_the_holdout_that_the_data_set_names_is_used(self):
        for ranks in (None, 3):
            output = self.succeed("train", Holdouts.data, "-o", f"run-{ranks}", *NETWORK, "--epochs", 3,
                                  "--holdout", 0, ranks=ranks)
            self.assertIn("800 training images of 28x28, 10 classes, holdout 200 that the data set names", output)
        self.assert_same_run(self.folder / "run-3", self.folder / "run-None")
        self.check(self.folder / "run-3", Holdouts.data, 200)

    def test_its_images_do_not_train(self):
        """Black ones in their place change no parameter."""
        changed = self.folder / "changed.h5"
        shutil.copy(Holdouts.data, changed)
        with h5py.File(changed, "r+") as data:
            data["train/images"][data["train/holdout"][:]] = 0
        weights = []
        for data in (Holdouts.data, changed):
            run = self.train(data.stem, *NETWORK, "--epochs", 1, data=data)
            with h5py.File(run / "model.h5") as model:
                weights.append(model["layers/1/weights"][:])
        numpy.testing.assert_array_equal(*weights)

    def test_errors(self):
        run = self.train("run", *NETWORK, "--epochs", 1)
        without = self.train("without", *NETWORK, "--epochs", 1, "--holdout", 0)
        own = self.train("own", *NETWORK, "--epochs", 1, data=Holdouts.data)
        for arguments, code, mentions in (
                ((Holdouts.data, "-m", own), BAD_DATA, [Holdouts.data, "--test-share", "--split holdout"]),
                ((Holdouts.data, "-m", run, "--split", "holdout"), BAD_DATA, ["run/model.h5", Holdouts.data]),
                ((Shared.data, "-m", without, "--split", "holdout"), BAD_DATA, ["without/model.h5", "--holdout 0"]),
                ((Shared.data, "-m", run, "--split", "train"), USAGE, ["--split", "train"])):
            for ranks in (None, 2):
                self.assert_one_error(self.run_program("evaluate", *arguments, ranks=ranks), code, *mentions)

    def test_odd_rows_are_refused(self):
        for rows in ([800], [5, 5], [7, 3], [2 ** 63], list(range(800)), []):
            odd = self.folder / "odd.h5"
            shutil.copy(Holdouts.data, odd)
            with h5py.File(odd, "r+") as data:
                del data["train/holdout"]
                data["train/holdout"] = numpy.array(rows, dtype="u8")
            self.assert_one_error(self.run_program("train", odd, "-o", "odd", *NETWORK, ranks=2), BAD_DATA, odd,
                                  "/train/holdout")


class Predict(ProgramTest):
    def test_jpeg_files(self):
        """The same answer as for a PNG file with the pixels of the JPEG."""
        run = self.train("run", *NETWORK, "--epochs", 1)
        with Image.open(next(Shared.digits.rglob("*.png"))) as image:
            image.resize((200, 180)).save(self.folder / "a.jpg", quality=60)
        with Image.open(self.folder / "a.jpg") as image:
            image.save(self.folder / "b.png")
        answers = self.succeed("predict", run, "--json", "a.jpg", "b.png").splitlines()
        self.assertEqual(*({**json.loads(answer), "image": ""} for answer in answers))
        content = (self.folder / "a.jpg").read_bytes()
        (self.folder / "cut.jpg").write_bytes(content[:len(content) // 2])
        self.assert_one_error(self.run_program("predict", run, "cut.jpg"), BAD_DATA, "cut.jpg: truncated JPEG file")


if __name__ == "__main__":
    main()
