"""Attacks "one build, one kind of arithmetic": an installed program is the one that was built, and a run that another
build goes on with says so."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import program
from program import MNIST_DIST, PATIENCE, ProgramTest, Shared, h5py, main, newest_checkpoint, sha256, warning_lines

OPTIONS = ("--hidden", "16", "--epochs", "2")

setUpModule = Shared.make


class Builds(ProgramTest):
    def run_as(self, executable, *arguments):
        """Runs another file than MNIST_DIST; gives what it printed and its warnings."""
        result = subprocess.run([executable, *map(str, arguments)], cwd=self.folder, env=program.environment(),
                                capture_output=True, text=True, timeout=PATIENCE, check=True)
        return result.stdout, warning_lines(result)

    def install(self):
        """A file of other bytes than the one in the build folder: stripped, and without its way to the libraries."""
        if shutil.which("cmake") is None:
            self.skipTest("needs cmake")
        place = self.folder / "installed"
        subprocess.run(["cmake", "--install", Path(MNIST_DIST).parent, "--prefix", place, "--strip"], check=True,
                       stdout=subprocess.DEVNULL, timeout=PATIENCE)
        installed = place / "bin" / "mnist-dist"
        self.assertNotEqual(sha256(installed), sha256(MNIST_DIST))
        return installed

    def build_line(self, executable, path):
        output, _ = self.run_as(executable, "info", path)
        return next(line for line in output.splitlines() if line.startswith("build "))

    def test_installed_program_is_the_same(self):
        installed = self.install()
        run = self.train("built", *OPTIONS)
        self.run_as(installed, "train", Shared.data, "-o", "by-installed", *OPTIONS)
        self.assert_same_run(self.folder / "by-installed", run)
        self.assertRegex(self.build_line(installed, run), "build id [0-9a-f]{16},")
        self.assertEqual(self.build_line(installed, run), self.build_line(MNIST_DIST, self.folder / "by-installed"))
        _, warnings = self.run_as(installed, "train", "--resume", run, "--epochs", 3)
        self.assertEqual(warnings, [])

    def edit_checkpoint(self, run, name, value):
        """Another value of one attribute, and the hash that goes with it."""
        path = newest_checkpoint(run)
        with h5py.File(path, "r+") as checkpoint:
            checkpoint.attrs.modify(name, value)
        manifest = run / "checkpoints" / "manifest.json"
        content = json.loads(manifest.read_text(encoding="utf-8"))
        content["checkpoints"][-1]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        content["checkpoints"][-1]["bytes"] = os.path.getsize(path)
        manifest.write_text(json.dumps(content), encoding="utf-8")

    def assert_warns(self, name, change, *mentions):
        run = self.train(f"run-{name}", *OPTIONS)
        with h5py.File(newest_checkpoint(run)) as checkpoint:
            value = checkpoint.attrs[name]
        text = value.decode() if isinstance(value, bytes) else str(value)
        other = change(text)
        self.assertNotEqual(other, text)
        self.edit_checkpoint(run, name, other.encode() if isinstance(value, bytes) else other)
        for ranks in (None, 2):
            with self.subTest(name=name, ranks=ranks):
                copy = self.folder / f"copy-{name}-{ranks}"
                shutil.copytree(run, copy)
                result = self.run_program("train", "--resume", copy, "--epochs", 3, ranks=ranks)
                self.assert_exit(result, program.DONE)
                self.assertEqual(len(warning_lines(result)), 1, result.stderr)
                for mention in (other, text, *mentions):
                    self.assertIn(mention, warning_lines(result)[0])

    def test_another_build_goes_on_with_a_warning(self):
        self.assert_warns("build", lambda text: text[:-4] + ("0000" if text[-4:] != "0000" else "1111"), "bits")

    def test_another_arithmetic_goes_on_with_a_warning(self):
        self.assert_warns("arithmetic", lambda text: text[:-4] + "none", "bits")

    def test_the_same_build_goes_on_without_a_word(self):
        run = self.train("run", *OPTIONS)
        self.edit_checkpoint(run, "seconds_in_epoch", 1.0)  # that the checkpoint was edited is not what is warned of
        result = self.run_program("train", "--resume", run, "--epochs", 3)
        self.assert_exit(result, program.DONE)
        self.assertEqual(warning_lines(result), [])


if __name__ == "__main__":
    main()
