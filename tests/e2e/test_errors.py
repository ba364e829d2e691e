"""Attacks promise 4: every error is one line that names the file or flag and the value, with the right exit code, once
for all ranks; nothing hangs."""

import os
import shutil

from program import (BAD_DATA, DONE, FILE_SYSTEM, FOREVER, HANG, LONG_EPOCHS, USAGE, ProgramTest, Shared, draw_digits,
                     h5py, kill, main, pack, wait_until, warning_lines)


class Files:
    """Made once: right and wrong files, by name."""

    model = None
    run = None
    text = None
    truncated = None
    other_hdf5 = None
    wrong_label = None
    without_testing = None
    other_size = None
    other_classes = None

    @classmethod
    def make(cls):
        folder = Shared.folder
        cls.run = Shared.train("run", "--epochs", 1, "--hidden", 16)
        cls.model = cls.run / "model.h5"
        cls.text = folder / "notes.h5"
        cls.text.write_text("not HDF5 at all\n", encoding="utf-8")
        cls.truncated = folder / "truncated.h5"
        cls.truncated.write_bytes(Shared.data.read_bytes()[:100_000])
        cls.other_hdf5 = folder / "other.h5"
        with h5py.File(cls.other_hdf5, "w") as other:
            other["numbers"] = [1, 2, 3]
        cls.wrong_label = cls.changed_copy("wrong_label", lambda data: data["train/labels"].__setitem__(7, 10))
        cls.other_classes = cls.changed_copy("other_classes", lambda data: data["classes"].__setitem__(3, "three"))
        cls.without_testing = pack(draw_digits(folder / "without_testing", 100, 0))
        cls.other_size = pack(draw_digits(folder / "other_size", 100, 50, "--size", "20"))

    @classmethod
    def changed_copy(cls, name, change):
        path = Shared.folder / f"{name}.h5"
        shutil.copy(Shared.data, path)
        with h5py.File(path, "r+") as data:
            change(data)
        return path


def setUpModule():
    Shared.make()
    Files.make()


class ErrorTest(ProgramTest):
    def assert_refused(self, exit_code, mentions, *arguments, ranks=(None,)):
        """One error line for all ranks together, and no run folder is left that looks like a run."""
        for count in ranks:
            with self.subTest(arguments=" ".join(map(str, arguments)), ranks=count):
                result = self.run_program(*arguments, ranks=count)
                self.assert_one_error(result, exit_code, *mentions)
                self.assertEqual(list(self.folder.rglob("*.partial")), [])


class Data(ErrorTest):
    def test_training_data(self):
        for path, exit_code, mentions in (
                ("nothing.h5", FILE_SYSTEM, ["nothing.h5", "No such file"]),
                (self.folder, FILE_SYSTEM, [self.folder]),
                (Files.text, BAD_DATA, [Files.text, "HDF5"]),
                (os.devnull, FILE_SYSTEM, [os.devnull, "no regular file"]),
                (Files.truncated, BAD_DATA, [Files.truncated]),
                (Files.other_hdf5, BAD_DATA, [Files.other_hdf5, "h5pack"]),
                (Files.model, BAD_DATA, [Files.model, "mnist-dist model"]),
                (Files.wrong_label, BAD_DATA, [Files.wrong_label, "/train/labels", "row 7", "label 10"])):
            self.assert_refused(exit_code, mentions, "train", path)

    def test_one_line_for_all_ranks(self):
        self.assert_refused(FILE_SYSTEM, ["nothing.h5"], "train", "nothing.h5", ranks=(3,))
        self.assert_refused(BAD_DATA, [Files.wrong_label, "label 10"], "train", Files.wrong_label, ranks=(3,))
        self.assert_refused(USAGE, ["--dropout", "2"], "train", Shared.data, "--dropout", "2", ranks=(3,))
        self.assert_refused(USAGE, ["--typo"], "train", Shared.data, "--typo", ranks=(3,))
        self.assert_refused(BAD_DATA, [Files.other_classes], "evaluate", Files.other_classes, "-m", Files.model,
                            ranks=(3,))

    def test_evaluation_data_and_model(self):
        for data, model, exit_code, mentions in (
                ("nothing.h5", Files.model, FILE_SYSTEM, ["nothing.h5"]),
                (Files.text, Files.model, BAD_DATA, [Files.text]),
                (Files.model, Files.model, BAD_DATA, [Files.model]),
                (Files.without_testing, Files.model, BAD_DATA,
                 [Files.without_testing, "--test-share", "--split holdout"]),
                (Files.other_size, Files.model, BAD_DATA, [Files.other_size, "20x20", "--size 28x28"]),
                (Files.other_classes, Files.model, BAD_DATA, [Files.other_classes, "classes"]),
                (Shared.data, "no/model.h5", FILE_SYSTEM, ["no/model.h5"]),
                (Shared.data, Shared.data, BAD_DATA, [Shared.data, "not a model"]),
                (Shared.data, Files.text, BAD_DATA, [Files.text]),
                (Shared.data, Files.run / "checkpoints", FILE_SYSTEM, ["model.h5"])):
            self.assert_refused(exit_code, mentions, "evaluate", data, "-m", model)

    def test_damaged_model(self):
        whole = Files.model.read_bytes()
        model = self.folder / "model.h5"
        for size in (0, 7, 100, len(whole) // 2, len(whole) - 1000):
            model.write_bytes(whole[:size])
            self.assert_refused(BAD_DATA, ["model.h5"], "evaluate", Shared.data, "-m", "model.h5")
        for name in ("layers/1/weights", "layers/2/biases", "mean", "classes"):
            model.write_bytes(whole)
            with h5py.File(model, "r+") as file:
                del file[name]
            self.assert_refused(BAD_DATA, ["model.h5"], "evaluate", Shared.data, "-m", "model.h5")

    def test_data_set_that_lacks_a_part(self):
        for name in ("train/images", "train/labels", "train/mean", "test/images", "classes"):
            broken = Files.changed_copy("broken", lambda data: data.__delitem__(name))
            self.assert_refused(BAD_DATA, [broken, name], "train", broken)

    def test_too_few_images(self):
        self.assert_refused(BAD_DATA, [Files.without_testing, "90", "--shards"], "train", Files.without_testing,
                            "--shards", 91)


class Usage(ErrorTest):
    def test_values(self):
        # Flag, value, and (where it is not the whole of the value) what is wrong with it.
        for flag, value, *wrong in (
                ("--dropout", "2"), ("--dropout", "-0.1"), ("--dropout", "nan"), ("--dropout", "1"),
                ("--batch-size", "0"), ("--batch-size", "-5"), ("--batch-size", "1.5"), ("--hidden", "10,x"),
                ("--hidden", "10,0", "0"), ("--holdout", "1"), ("--epochs", "0"), ("--epochs", "ten"),
                ("--shards", "0"), ("--learning-rate", "-1"), ("--beta1", "1"), ("--window", "0"), ("--seed", "-1"),
                ("--checkpoint-every", "0"), ("--min-change", "inf"), ("--reduction", "ring", "tree, mpi"),
                ("--exchange", "pixels", "auto, gradients, activations"),
                ("--optimizer", "adamw", "adamax, adam, sgd"), ("--schedule", "linear", "cosine"),
                ("--activation", "swish", "silu"), ("--average", "1"), ("--label-smoothing", "1"),
                ("--rotation", "181"), ("--elastic-smoothing", "0"), ("--deviation-floor", "-1")):
            self.assert_refused(USAGE, [flag, *(wrong or [value])], "train", Shared.data, f"{flag}={value}")

    def test_settings_that_exclude_each_other(self):
        self.assert_refused(USAGE, ["--beta2", "adam"], "train", Shared.data, "--optimizer", "adam", "--beta2", 1)

    def test_recipes(self):
        listed = self.succeed("train", "--list-recipes")
        for name in ("seed", "fast", "accurate", "large"):
            self.assertIn(name, listed)
            self.train(name, "--recipe", name, "--epochs", 1)
        self.assert_refused(USAGE, ["accurrate", "accurate", "--list-recipes"], "train", Shared.data, "--recipe",
                            "accurrate")
        run = self.train("by-recipe", "--recipe", "accurate", "--epochs", 1, "--shift", 1)
        config = (run / "config.toml").read_text(encoding="utf-8")
        self.assertIn('schedule = "cosine"', config)  # the recipe's
        self.assertIn("shift = 1\n", config)          # the flag's
        self.assert_refused(USAGE, ["--recipe", "config.toml"], "train", "--resume", run, "--recipe", "seed")
        self.assert_refused(USAGE, ["--epochs", "cosine"], "train", "--resume", run, "--epochs", 2)

    def test_preview_of_augmentation(self):
        self.succeed("preview-augmentation", Shared.data, "--recipe", "accurate", "-o", "sheet.png", "--rows", 2,
                     "--versions", 3, "--enlarge", 1)
        self.assertEqual((self.folder / "sheet.png").read_bytes()[:8], b"\x89PNG\r\n\x1a\n")
        self.assert_refused(USAGE, ["--rotation"], "preview-augmentation", Shared.data)
        self.assert_refused(USAGE, ["--rows"], "preview-augmentation", Shared.data, "--shift", 1, "--rows", 0)
        self.assert_refused(FILE_SYSTEM, ["missing/sheet.png"], "preview-augmentation", Shared.data, "--shift", 1, "-o",
                            "missing/sheet.png")

    def test_command_line(self):
        for arguments, mentions in (((), ["--help"]), (("fly",), ["fly"]), (("train", "--typo"), ["--typo"]),
                                    (("train", Shared.data, "another.h5"), ["another.h5"]),
                                    (("train", "--epochs"), ["--epochs"]), (("predict",), ["IMAGE", "--help"]),
                                    (("predict", Files.model), ["IMAGE"]),
                                    (("evaluate", "--typo"), ["--typo"])):
            self.assert_refused(USAGE, mentions, *arguments)

    def test_data_may_follow_a_list(self):
        """--hidden takes one argument, and leaves the data set's name alone."""
        self.succeed("train", "-o", "run", "--epochs", 1, "--hidden", "16,8", Shared.data)

    def test_more_ranks_than_shards(self):
        self.assert_refused(USAGE, ["3 ranks", "2 shards", "--shards"], "train", Shared.data, "--shards", 2, ranks=(3,))

    def test_configuration_file(self):
        for text, mentions in (("epochs = 3\nlearning-rat = 0.1\n", ["line 2", "learning-rat"]),
                               ("epochs = 'three'\n", ["line 1", "epochs"]),
                               ("epochs = 3.5\n", ["line 1", "epochs"]),
                               ("hidden = 100\n", ["line 1", "hidden"]),
                               ("hidden = [10, 'x']\n", ["line 1", "hidden"]),
                               ("data = 7\n", ["line 1", "data"]),
                               ("seed = 1\nepochs = = 3\n", ["line 2"]),
                               ("epochs = 3\nepochs = 4\n", ["line 2"]),
                               ("[train]\nepochs = 3\n", ["train"]),
                               ("dropout = 2\n", ["dropout", "2"]),
                               ("dropout = nan\n", ["dropout"])):
            (self.folder / "wrong.toml").write_text(text, encoding="utf-8")
            self.assert_refused(USAGE, mentions, "train", Shared.data, "--config", "wrong.toml")
        self.assert_refused(FILE_SYSTEM, ["nothing.toml"], "train", Shared.data, "--config", "nothing.toml")

    def test_binary_configuration_file(self):
        shutil.copy(Files.model, self.folder / "wrong.toml")
        self.assert_refused(USAGE, ["wrong.toml"], "train", Shared.data, "--config", "wrong.toml")

    def test_names_with_control_characters_stay_on_one_line(self):
        self.assert_refused(FILE_SYSTEM, ["a?b"], "train", "a\nb")
        self.assert_refused(FILE_SYSTEM, ["a?b"], "predict", "a\nb.h5", "image.png")


class Output(ErrorTest):
    def test_existing_run(self):
        def content():  # but for who asked last
            return {path: path.read_bytes() for path in Files.run.rglob("*") if path.is_file() and path.name != ".lock"}

        before = content()
        self.assert_refused(USAGE, [Files.run, "--resume", "--output"], "train", Shared.data, "-o", Files.run,
                            ranks=(None, 2))
        self.assertEqual(before, content())

    def test_unwritable_place(self):
        (self.folder / "file").write_text("in the way", encoding="utf-8")
        for place in ("file/run", "/proc/run", "file"):
            self.assert_refused(FILE_SYSTEM, [place, "; choose a folder with --output"], "train", Shared.data, "-o",
                                place, ranks=(None, 3))

    def test_unwritable_report(self):
        (self.folder / "file").write_text("in the way", encoding="utf-8")
        for place in ("file/report.json", "no/folder/report.json", "/proc/report.json"):
            self.assert_refused(FILE_SYSTEM, [place], "evaluate", Shared.data, "-m", Files.model, "--report", place)

    def test_what_is_no_regular_file(self):
        os.mkfifo(self.folder / "pipe")
        mentions = ["cannot write pipe: it is no regular file"]
        self.assert_refused(FILE_SYSTEM, mentions, "evaluate", Shared.data, "-m", Files.model, "--report", "pipe")
        self.assert_refused(FILE_SYSTEM, mentions, "preview-augmentation", Shared.data, "--shift", 1, "-o", "pipe")
        self.assertTrue((self.folder / "pipe").is_fifo())

    def test_failed_start_leaves_no_run(self):
        """`latest` goes on to point at the newest run that has a model."""
        self.train("runs/good", "--epochs", 1, "--hidden", 16)
        for arguments in ((Files.wrong_label,), (Files.without_testing, "--shards", 91), ("nothing.h5",)):
            self.run_program("train", *arguments, "-o", "runs/bad")
            self.assertFalse((self.folder / "runs" / "bad").exists(), f"{arguments} left a run")
            self.assertEqual(os.readlink(self.folder / "runs" / "latest"), "good")


class Training(ErrorTest):
    def test_divergence(self):
        options = ("--learning-rate", "1e6", "--hidden", "64,64,64,64,64,64")
        for count in (None, 3):
            result = self.run_program("train", Shared.data, *options, "-o", f"diverged-{count}", ranks=count)
            self.assert_one_error(result, USAGE, "diverged", "--learning-rate", "1000000")

    def test_absurd_loss(self):
        """Numbers still, but no training: it is said once."""
        result = self.run_program("train", Shared.data, "--learning-rate", "100", "--epochs", 2, "-o", "run", ranks=2)
        self.assert_exit(result, DONE)
        lines = warning_lines(result)
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertRegex(lines[0], r"the loss of epoch 1 is [0-9.e+]+, where guessing has 2\.3: "
                                   r".*--learning-rate than 100$")

    def assert_all_end_after(self, attack):
        """Three ranks train without an end; after the attack, all and mpirun must be gone."""
        job = self.start("train", Shared.data, "-o", "run", "--epochs", FOREVER, *LONG_EPOCHS, ranks=3)
        self.wait_for_epoch(job, self.folder / "run", 1)
        ranks = job.ranks()
        self.assertEqual(len(ranks), 3, job.errors())
        attack(job, ranks)
        self.assertNotEqual(job.wait(HANG).returncode, DONE)
        wait_until(lambda: not any(os.path.exists(f"/proc/{rank}") for rank in ranks), "the ranks' end", HANG)

    def test_killed_rank_ends_all(self):
        self.assert_all_end_after(lambda job, ranks: kill(ranks[1:2]))

    def test_killed_first_rank_ends_all(self):
        self.assert_all_end_after(lambda job, ranks: kill(ranks[:1]))

    def test_killed_launcher_ends_all(self):
        self.assert_all_end_after(lambda job, ranks: kill([job.process.pid]))


class Prediction(ErrorTest):
    def test_images(self):
        good = next(Shared.digits.glob("testing/3/*.png"))
        (self.folder / "text.png").write_text("not a PNG", encoding="utf-8")
        (self.folder / "half.png").write_bytes(good.read_bytes()[: good.stat().st_size // 2])
        for image, exit_code in (("nothing.png", FILE_SYSTEM), ("text.png", BAD_DATA), ("half.png", BAD_DATA),
                                 (os.devnull, BAD_DATA)):
            self.assert_refused(exit_code, [image], "predict", Files.model, image)
            self.assert_refused(exit_code, [image], "predict", "--json", Files.model, good, image)

    def test_model(self):
        good = next(Shared.digits.glob("testing/3/*.png"))
        for model, exit_code in (("nothing.h5", FILE_SYSTEM), (Files.text, BAD_DATA), (Shared.data, BAD_DATA)):
            self.assert_refused(exit_code, [model], "predict", model, good)

    def test_info(self):
        for path, exit_code in (("nothing", FILE_SYSTEM), (Files.text, BAD_DATA), (Files.other_hdf5, BAD_DATA),
                                (self.folder, FILE_SYSTEM), (Files.truncated, BAD_DATA)):
            self.assert_refused(exit_code, [path], "info", path)

    def test_one_line_for_all_ranks(self):
        """Started under mpirun by mistake, the commands of one process do not speak with three voices."""
        self.assert_refused(FILE_SYSTEM, ["nothing.h5"], "predict", "nothing.h5", "image.png", ranks=(3,))
        self.assert_refused(FILE_SYSTEM, ["nothing.h5"], "info", "nothing.h5", ranks=(3,))


class Help(ProgramTest):
    # What a user must be able to learn from --help alone.
    DEFAULTS = {
        "train": ("=mnist.h5", "--hidden UINT=100,100,100", "--leaky-relu-slope FLOAT=0.1", "--dropout FLOAT=0.2",
                  "--learning-rate FLOAT=0.001", "--beta1 FLOAT=0.9", "--beta2 FLOAT=0.999",
                  "--output-l2 FLOAT=0.0001", "--batch-size UINT=100", "--holdout FLOAT=0.1", "--f-beta FLOAT=1",
                  "--window UINT=10", "--min-change FLOAT=0.0001", "--epochs UINT=100", "--shards UINT=8",
                  "--seed UINT=0", "--checkpoint-every UINT=1", "default: runs/<UTC time>", "--config", "--resume"),
        "bench": ("=mnist.h5", "--hidden UINT=100,100,100", "--batch-size UINT=100", "--reduction TEXT=tree",
                  "--seconds FLOAT=2", "--json", "--config"),
        "evaluate": ("that the run's config.toml names", "by runs/latest", "default: report.json"),
        "predict": ("MODEL", "IMAGE", "--list", "--top", "--csv", "--json", "--invert", "auto", "--center"),
        "info": ("FILE",),
    }

    def test_names_every_default(self):
        for command, defaults in self.DEFAULTS.items():
            output = " ".join(self.succeed(command, "--help").split())
            for default in defaults:
                self.assertIn(default, output)

    def test_defaults_are_those_of_a_run(self):
        """The help does not only claim them."""
        (self.folder / "mnist.h5").symlink_to(Shared.data)
        self.succeed("train", "-o", "run", "--epochs", 1)
        lines = (self.folder / "run" / "config.toml").read_text(encoding="utf-8").splitlines()
        settings = dict(line.split(" = ") for line in lines)
        shown = dict(default[2:].replace("UINT", "").replace("FLOAT", "").split(" =")
                     for default in self.DEFAULTS["train"] if " UINT=" in default or " FLOAT=" in default)
        for name, value in shown.items():
            if name != "epochs":
                self.assertEqual(settings[name].strip("[]").replace(", ", ","), value, name)

    def test_speaks_once(self):
        for arguments in (("--help",), ("train", "--help"), ("evaluate", "--help"), ("--version",)):
            self.assertEqual(self.succeed(*arguments, ranks=2), self.succeed(*arguments), arguments)

    def test_lists_commands_and_exit_codes(self):
        output = self.succeed("--help")
        for word in ("train", "bench", "evaluate", "predict", "info", "exit codes", "75"):
            self.assertIn(word, output)

    def test_version(self):
        self.assertRegex(self.succeed("--version"), r"^mnist-dist \d+\.\d+\.\d+")


if __name__ == "__main__":
    main()
