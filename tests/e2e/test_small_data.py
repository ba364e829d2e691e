"""Few, small or uneven images: recipes are scaled to them, and what makes a training or its score doubtful is said."""

import shutil
import tomllib

from program import USAGE, ProgramTest, Shared, draw_digits, main, pack, sha256, warning_lines

PIXELS = ("shift", "elastic", "elastic-smoothing")


class Files:
    """Digits of 8x8: as many of each, and folders from which images were taken away."""

    even = None

    @classmethod
    def make(cls):
        Shared.make()
        cls.even = cls.packed("even")

    @classmethod
    def packed(cls, name, **images):
        """300 digits of 8x8, 60 of each class from 0 to 4. images: how many a class, such as d1=7, keeps."""
        folder = draw_digits(Shared.folder / name, 600, 0, "--size", "8")
        for digit in range(5, 10):
            shutil.rmtree(folder / "training" / str(digit))
        for digit, count in images.items():
            files = sorted((folder / "training" / digit[1:]).iterdir())
            for path in files[count:]:
                path.unlink()
            if count == 0:
                (folder / "training" / digit[1:]).rmdir()
        return pack(folder)


setUpModule = Files.make


def config_of(run):
    return tomllib.loads((run / "config.toml").read_text(encoding="utf-8"))


class Recipes(ProgramTest):
    def test_are_scaled_and_the_header_says_so(self):
        output = self.succeed("train", Files.even, "-o", "run", "--recipe", "fast", "--epochs", 2)
        self.assertIn("\nrecipe   fast, for 300 images of 8x8 with ", output)
        for words in ("shift 0.429", "elastic 0.571", "elastic-smoothing 1.429", "batch-size 10", "; but epochs 2",
                      "\nimages   augmented: rotation 10, ", "\nsteps    adamax, learning rate 0.01, cosine schedule",
                      "2 epochs done"):
            self.assertIn(words, output)
        config = config_of(self.folder / "run")
        self.assertEqual([config[name] for name in (*PIXELS, "batch-size", "warmup-steps", "recipe")],
                         [0.429, 0.571, 1.429, 10, 90, "fast"])

    def test_are_as_they_stand_for_images_of_mnist(self):
        run = self.train("run", "--recipe", "fast", "--epochs", 1)  # of 28x28, but few
        self.assertEqual([config_of(run)[name] for name in PIXELS], [1.5, 2, 5])

    def test_what_is_given_wins(self):
        (self.folder / "mine.toml").write_text('recipe = "accurate"\nelastic = 3\n', encoding="utf-8")
        run = self.train("run", "--config", "mine.toml", "--shift", 1.5, "--batch-size", 50, "--epochs", 1,
                         data=Files.even)
        self.assertEqual([config_of(run)[name] for name in (*PIXELS, "batch-size", "holdout", "recipe")],
                         [1.5, 3, 1.429, 50, 0, "accurate"])
        result = self.run_program("train", Files.even, "--config", "mine.toml", "--recipe", "fast")
        self.assert_one_error(result, USAGE, "--recipe is fast", "mine.toml", "accurate")

    def test_config_and_resume_keep_what_came_of_them(self):
        run = self.train("run", "--recipe", "fast", "--epochs", 2, data=Files.even)
        again = self.train("again", "--config", run / "config.toml", data=Files.even)
        self.assertEqual(config_of(again), config_of(run))
        self.assertEqual(sha256(again / "model.h5"), sha256(run / "model.h5"))
        before = config_of(run)
        self.assertIn("\nrecipe   fast, for 300 images of 8x8 with ", self.resume(run))
        self.assertEqual(config_of(run), before)


class Warnings(ProgramTest):
    def warnings_of(self, data, *options):
        """Of a training that goes on all the same."""
        result = self.run_program("train", data, "-o", "run", "--epochs", 1, *options)
        self.assert_exit(result, 0)
        shutil.rmtree(self.folder / "run")
        return "\n".join(warning_lines(result))

    def test_none_where_all_is_well(self):
        self.assertEqual(self.warnings_of(Files.even), "")

    def test_classes_out_of_balance(self):
        data = Files.packed("uneven", d1=6)
        self.assertRegex(self.warnings_of(data, "--holdout", 0),
                         r"^.*class 1 trains on 6 images, class 0 on 60: --class-weights balanced .*$")
        self.assertEqual(self.warnings_of(data, "--holdout", 0, "--class-weights", "balanced"), "")

    def test_a_small_holdout(self):
        self.assertRegex(self.warnings_of(Files.even, "--holdout", 0.05), "^.*the holdout has 3 images of class 0.*$")

    def test_one_image_and_one_class(self):
        self.assertIn("class 3 has 1 training image:", self.warnings_of(Files.packed("single", d3=1)))
        alone = self.warnings_of(Files.packed("alone", d0=0, d1=0, d3=0, d4=0))
        self.assertRegex(alone, "^.*the data set has one class, 2: .*$")


class ClassWeights(ProgramTest):
    def test_make_another_model_and_are_kept(self):
        data = Files.packed("rare", d1=6, d2=0, d3=0, d4=0)
        options = ("--holdout", 0, "--epochs", 3, "--min-change", 0)
        plain = self.train("plain", *options, data=data)
        balanced = self.train("balanced", *options, "--class-weights", "balanced", data=data)
        self.assertNotEqual(sha256(plain / "model.h5"), sha256(balanced / "model.h5"))
        self.assertEqual(config_of(balanced)["class-weights"], "balanced")
        self.assertIn("balanced class weights", self.resume(balanced))


if __name__ == "__main__":
    main()
