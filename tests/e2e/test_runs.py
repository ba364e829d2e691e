"""Attacks what is said of runs: which one was trained last, the list, comparisons, removal, and whether a run comes out
again bit by bit."""

import hashlib
import os
import re
import shutil
import subprocess

from program import (BAD_DATA, DONE, ENDLESS, FILE_SYSTEM, FOREVER, LONG_EPOCHS, MNIST_DIST, PATIENCE, SEAL, USAGE,
                     ProgramTest, Shared, draw_digits, environment, h5py, main, numpy, pack, read_metrics, sha256,
                     warning_lines)

OTHER_BITS = 6
SMALL = ("--epochs", 2, "--hidden", 16, *ENDLESS)


class Trained:
    """Made once: a finished run."""

    run = None


def setUpModule():
    Shared.make()
    Trained.run = Shared.train("trained", *SMALL, "--checkpoint-every", 2)


def change_model(run, change):
    """As a program that knows the format would."""
    model = run / "model.h5"
    model.write_bytes(model.read_bytes()[:-SEAL])
    with h5py.File(model, "r+") as file:
        change(file)
    content = model.read_bytes()
    model.write_bytes(content + f"\nmnist-dist sha256 {hashlib.sha256(content).hexdigest()}\n".encode())


class RunsTest(ProgramTest):
    def copy(self, name):
        shutil.copytree(Trained.run, self.folder / name)
        return self.folder / name

    def answer(self, text, *arguments):
        """Runs the program with this standard input; gives what it printed."""
        result = subprocess.run([MNIST_DIST, *map(str, arguments)], cwd=self.folder, env=environment(), input=text,
                                capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(result.returncode, DONE, result.stderr)
        return result.stdout


class Newest(RunsTest):
    def test_evaluate_takes_the_run_trained_last(self):
        """With its own data set, wherever it lies, and says both in the first line."""
        shutil.copy(Shared.data, self.folder / "mnist.h5")
        other = pack(draw_digits(self.folder / "other", 200, 50))
        self.succeed("train", *SMALL)
        self.assertIn("on the 300 test images of mnist.h5", self.succeed("evaluate").splitlines()[0])
        self.succeed("train", other, "-o", "fastrun", *SMALL)
        for ranks in (None, 2):
            output = self.succeed("evaluate", ranks=ranks)
            self.assertEqual(output.splitlines()[0], f"fastrun/model.h5 on the 50 test images of {other}")
            self.assertIn(" of 50 images right", output)
        self.assertTrue((self.folder / "fastrun" / "report.json").is_file())
        self.assertFalse((self.folder / "latest").exists())
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()),
                         ["fastrun", "mnist.h5", "other", "other.h5", "runs"])
        self.assertIn("fastrun", self.succeed("info").splitlines()[0])
        image = next((self.folder / "other").glob("testing/3/*.png"))
        self.assertEqual(self.succeed("predict", image), self.succeed("predict", "fastrun", image))
        # Other data, and a run that was gone on with.
        self.assertIn("300 test images of mnist.h5", self.succeed("evaluate", "mnist.h5").splitlines()[0])
        first = next(path for path in (self.folder / "runs").iterdir() if not path.is_symlink())
        self.resume(f"runs/{first.name}", "--epochs", 3)
        self.assertIn(f"runs/{first.name}/model.h5 on the 300", self.succeed("evaluate").splitlines()[0])

    def test_data_packed_anew(self):
        """Images that were trained on may be among the test images now."""
        data = self.folder / "mnist.h5"
        shutil.copy(Shared.data, data)
        self.succeed("train", *SMALL)
        self.assertEqual(self.run_program("evaluate").stderr, "")
        shutil.copy(pack(draw_digits(self.folder / "other", 200, 50)), data)
        result = self.run_program("evaluate")
        self.assertEqual(result.returncode, DONE)
        self.assertIn("mnist.h5 was packed anew after ", result.stderr)
        self.assertEqual(self.run_program("evaluate", data).stderr, "")  # whoever names the data knows

    def test_no_run_yet(self):
        for command in (("evaluate",), ("info",), ("predict", "image.png")):
            self.assert_one_error(self.run_program(*command), FILE_SYSTEM, "runs/latest", "mnist-dist train")

    def test_where_no_link_can_be_made(self):
        """A file stands where the folder of the link would: the run goes on, and one warning names it."""
        (self.folder / "runs").write_text("mine", encoding="utf-8")
        result = self.run_program("train", Shared.data, "-o", "run", *SMALL)
        self.assert_exit(result, DONE)
        self.assertEqual(len(warning_lines(result)), 1, result.stderr)
        self.assertIn("--model", warning_lines(result)[0])
        self.assertEqual((self.folder / "runs").read_text(encoding="utf-8"), "mine")


class List(RunsTest):
    def test_states(self):
        self.assertIn("no runs in runs", self.succeed("runs"))
        done = self.train("runs/done", "--recipe", "fast", "--holdout", 0.1, "--epochs", 1)
        self.succeed("evaluate")
        stopped = self.train("runs/many/stopped", *SMALL)
        config = stopped / "config.toml"
        config.write_text(config.read_text(encoding="utf-8").replace("epochs = 2", "epochs = 3"), encoding="utf-8")
        broken = self.train("runs/broken", *SMALL)
        (broken / "metrics.jsonl").write_bytes(os.urandom(100))
        (self.folder / "runs" / "lost" / "checkpoints").mkdir(parents=True)
        job = self.start("train", Shared.data, "-o", "runs/busy", "--epochs", FOREVER, *LONG_EPOCHS)
        self.wait_for_epoch(job, self.folder / "runs" / "busy", 1)
        output = self.succeed("runs")
        table, damages = output.split("\n\n", 1)
        heading, *rows = table.splitlines()
        found = {row.split()[0]: row for row in rows}
        self.assertEqual(set(found), {f"runs/{name}" for name in ("lost", "done", "many/stopped", "broken", "busy")})
        for name, state in (("done", "finished"), ("many/stopped", "can be resumed"), ("broken", "damaged"),
                            ("lost", "damaged"), ("busy", "running")):
            self.assertTrue(found[f"runs/{name}"].endswith(f" {state}"), output)
        self.assertEqual({len(row) for row in (heading, *rows)}, {len(rows[0])}, "not aligned")
        self.assertEqual(rows[-1].split()[0], "runs/busy")  # the newest is the last
        self.assertRegex(found["runs/done"],
                         rf" \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d +fast +1 +{float(read_metrics(done)[0]['score']):.5f} +"
                         r"[\d.]+ % +[\d.]+ +finished$")
        self.assertIn("runs/broken is damaged: runs/broken/metrics.jsonl is damaged: line 1", damages)
        self.assertIn("runs/lost is damaged: ", damages)
        self.assertIn("config.toml", damages)
        job.kill()
        self.assertRegex(self.succeed("runs"), r"runs/busy .* can be resumed\n")

    def test_accuracy_is_that_on_the_run_s_own_test_images(self):
        run = self.copy("runs/run")
        other = pack(draw_digits(self.folder / "other", 200, 50))
        own, report = ("evaluate", "-m", run), run / "report.json"
        for words, is_known in ((own, True), ((*own, other), False), (own, True),
                                ((*own, "--split", "holdout", "-r", report), False)):
            self.succeed(*words)
            accuracy = r"[\d.]+ %" if is_known else "-"
            self.assertRegex(self.succeed("runs"), rf" {accuracy} +[\d.]+ +finished\n")
        report.write_text("{", encoding="utf-8")
        self.assertRegex(self.succeed("runs"), r" - +[\d.]+ +finished\n")
        self.assertRegex(self.succeed("compare", run, Trained.run), r"test accuracy +- +-\n")
        self.assertIn("the same bits", self.succeed("reproduce", run, "-o", "again"))

    def test_folders(self):
        self.copy("elsewhere/run")
        self.assertIn("elsewhere/run", self.succeed("runs", "elsewhere"))
        self.assertIn("./elsewhere/run", self.succeed("runs", "."))
        self.assert_one_error(self.run_program("runs", "nothing"), FILE_SYSTEM, "nothing")


class Compare(RunsTest):
    def test_only_what_differs(self):
        other = pack(draw_digits(self.folder / "other", 300, 60))
        self.copy("one")
        self.train("two", *SMALL[:2], "--hidden", 12, *ENDLESS, data=other)
        differing, results = self.succeed("compare", "one", "two").split("\n\n")
        self.assertEqual([line.split()[0] for line in differing.splitlines()],
                         ["what", "data", "hidden", "checkpoint-every", "content_sha256"])
        self.assertRegex(differing, r"hidden +\[16\] +\[12\]\n")
        for row in ("state +finished +finished", "epochs +2 +2", "score +0", "seconds ",
                    "parameters' SHA-256 +[0-9a-f]{16} +[0-9a-f]{16}"):
            self.assertRegex(results, row)

    def test_the_same_twice(self):
        output = self.succeed("compare", self.copy("one"), self.copy("two"))
        self.assertIn("settings, data and build are the same\n", output)
        first, second = re.search(r"SHA-256 +([0-9a-f]+) +([0-9a-f]+)", output).groups()
        self.assertEqual(first, second)

    def test_errors(self):
        self.assert_one_error(self.run_program("compare", Trained.run), USAGE, "RUN wants 2 values")
        self.assert_one_error(self.run_program("compare", Trained.run, "nothing"), FILE_SYSTEM, "nothing")
        broken = self.copy("broken")
        (broken / "model.h5").write_bytes(b"no model")
        self.assert_one_error(self.run_program("compare", Trained.run, broken), BAD_DATA, "broken/model.h5")


class Remove(RunsTest):
    def test_asks_first(self):
        run = self.copy("run")
        for text in ("", "\n", "n\n", "yes please\n"):
            self.assertIn("remove run? [y/N] kept run", self.answer(text, "remove", "run"))
            self.assertTrue((run / "model.h5").exists())
        for words in (("evaluate", "-m", "run"), ("evaluate", "-m", "run", "--split", "holdout"), ("report", "run")):
            self.succeed(*words)
        self.assertIn("removed run", self.answer("y\n", "remove", "run"))
        self.assertFalse(run.exists())

    def test_many_and_latest(self):
        for name in ("one", "two", "three"):
            self.train(f"runs/{name}", *SMALL)
        self.succeed("remove", "--yes", "runs/latest", "runs/one")  # the newest by its link
        self.assertEqual(sorted(os.listdir(self.folder / "runs")), ["latest", "two"])
        self.assertEqual(os.readlink(self.folder / "runs" / "latest"), "two")
        self.succeed("evaluate")
        self.succeed("remove", "--yes", "runs/two")
        self.assertEqual(os.listdir(self.folder / "runs"), [])

    def test_other_links_stay(self):
        self.train("run", *SMALL)
        (self.folder / "latest").symlink_to("elsewhere")  # somebody's own
        self.succeed("remove", "--yes", "run")
        self.assertEqual(os.readlink(self.folder / "latest"), "elsewhere")
        self.assertFalse(os.path.lexists(self.folder / "runs" / "latest"))

    def test_refuses_what_is_no_run(self):
        run = self.copy("run")
        (self.folder / "photos").mkdir()
        (self.folder / "photos" / "cat.png").write_bytes(b"cat")
        for name in ("photos", "nothing", "photos/cat.png"):
            self.assert_one_error(self.run_program("remove", "--yes", "run", name), FILE_SYSTEM, name)
        self.assertTrue((run / "model.h5").exists(), "removed before all names were looked at")
        self.assertTrue((self.folder / "photos" / "cat.png").exists())

    def test_refuses_a_running_run(self):
        job = self.start("train", Shared.data, "-o", "run", "--epochs", FOREVER, *LONG_EPOCHS)
        self.wait_for_epoch(job, self.folder / "run", 1)
        result = self.run_program("remove", "--yes", "run")
        self.assert_one_error(result, FILE_SYSTEM, "run", f"process {job.process.pid}")
        self.wait_for_epoch(job, self.folder / "run", len(read_metrics(self.folder / "run")) + 1)

    def test_links_and_other_files_stay(self):
        run = self.copy("run")
        (self.folder / "disk").mkdir()
        (self.folder / "disk" / "precious").write_text("x", encoding="utf-8")
        shutil.rmtree(run / "checkpoints")
        (run / "checkpoints").symlink_to("../disk")
        (run / "notes.txt").write_text("mine", encoding="utf-8")
        self.assertIn("what it did not write stays: notes.txt", self.succeed("remove", "--yes", "run"))
        self.assertEqual(os.listdir(run), ["notes.txt"])
        self.assertTrue((self.folder / "disk" / "precious").exists())


class Reproduce(RunsTest):
    def test_the_same_bits(self):
        for ranks in (None, 3):
            output = self.succeed("reproduce", Trained.run, "-o", f"again-{ranks}", ranks=ranks)
            self.assertRegex(output.splitlines()[-1], r"^the same bits: .* SHA-256 [0-9a-f]{64}$")
            self.assertEqual(sha256(self.folder / f"again-{ranks}" / "model.h5"), sha256(Trained.run / "model.h5"))

    def assert_other_bits(self, run, *mentions):
        for ranks in (None, 2):
            result = self.run_program("reproduce", run, "-o", f"again-{ranks}", ranks=ranks)
            self.assert_exit(result, OTHER_BITS)
            self.assertIn("not the same bits: ", result.stdout)
            for mention in mentions:
                self.assertIn(mention, result.stdout)
        return result

    def test_another_beginning(self):
        base = self.train("base", *SMALL)
        run = self.train("tuned", "--init-from", base, *SMALL)
        self.resume(base, "--epochs", 3)
        self.assert_other_bits(run, "base/model.h5, with which it began, may have changed since")

    def test_one_bit(self):
        run = self.copy("run")

        def change(model):
            weights = model["layers/2/biases"]
            values = weights[()]
            values.view("u4")[3] ^= 1
            weights[...] = values

        change_model(run, change)
        self.assert_other_bits(run, "settings, data, build and arithmetic are the same")

    def test_edited_settings(self):
        run = self.copy("run")
        config = run / "config.toml"
        config.write_text(config.read_text(encoding="utf-8").replace("seed = 0", "seed = 1"), encoding="utf-8")
        self.assert_other_bits(run, "--seed, edited in config.toml, differs: 0 and 1")

    def test_another_build(self):
        """It is said before the training, and named with the verdict when other bits came out."""
        run = self.copy("run")
        change_model(run, lambda model: model.attrs.__setitem__("build", numpy.bytes_("mnist-dist 0.9")))
        result = self.run_program("reproduce", run, "-o", "again")
        self.assert_exit(result, DONE)
        self.assertEqual(len(warning_lines(result)), 1, result.stderr)
        self.assertIn("mnist-dist 0.9", warning_lines(result)[0])
        change_model(run, lambda model: model["layers/1/weights"].__setitem__((0, 0), 5))
        self.assert_other_bits(run, "build differs: mnist-dist 0.9 and mnist-dist ")

    def test_other_data(self):
        other = pack(draw_digits(self.folder / "other", 300, 60))
        result = self.run_program("reproduce", Trained.run, "--data", other, "-o", "again", ranks=2)
        self.assert_one_error(result, BAD_DATA, other, "--data")
        self.assertFalse((self.folder / "again").exists())

    def test_moved_data(self):
        shutil.copy(Shared.data, self.folder / "moved.h5")
        self.assertIn("the same bits", self.succeed("reproduce", Trained.run, "--data", "moved.h5"))

    def test_what_is_not_finished(self):
        run = self.copy("run")
        config = run / "config.toml"
        config.write_text(config.read_text(encoding="utf-8").replace("epochs = 2", "epochs = 3"), encoding="utf-8")
        self.assert_one_error(self.run_program("reproduce", "run"), USAGE, "run", "--resume run")
        self.assert_one_error(self.run_program("reproduce", "nothing", ranks=2), FILE_SYSTEM, "nothing")


if __name__ == "__main__":
    main()
