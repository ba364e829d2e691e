"""The other commands of h5pack, its command line, and what it shows on a terminal."""

import os
import pty
import signal
import subprocess
import unittest

import runner
from h5pack_program import H5PACK, PATIENCE, FolderTest, run, wait_until
from program import SEAL

import h5py
import numpy as np
from PIL import Image


class InfoAndVerify(FolderTest):
    def test_info(self):
        self.small_set()
        self.pack()
        result = run("info", self.out)
        self.assertEqual(result.returncode, 0, result.stderr)
        with h5py.File(self.out) as file:
            self.assertIn(file.attrs["content_sha256"].decode(), result.stdout)
        self.assertIn("7x9 grey", result.stdout)
        self.assertRegex(result.stdout, r"(?m)^0 +5 +1$")

    def test_verify_finds_each_change(self):
        self.small_set()
        self.pack()
        whole = self.out.read_bytes()
        self.assertEqual(run("verify", self.out).returncode, 0)
        for name, index in (("train/images", (3, 1, 2)), ("test/images", (0, 0, 0)), ("train/labels", 0),
                            ("train/mean", (0, 0)), ("train/standard_deviation", (8, 6))):
            with self.subTest(changed=name):
                self.out.write_bytes(whole)
                with h5py.File(self.out, "r+") as file:
                    value = file[name][index]
                    file[name][index] = 1 - value if name.endswith("labels") else value ^ 1 if "images" in name \
                        else value + 1
                expected = name if "mean" in name or "deviation" in name else "content_sha256"
                self.assert_error(run("verify", self.out), 3, self.out, "damaged or was changed", expected)
        self.out.write_bytes(whole)
        with h5py.File(self.out, "r+") as file:
            file["train/labels"][2] = 2
        self.assert_error(run("verify", self.out), 3, "row 2 has the label 2, but there are 2 classes")

    def set(self, data_set, change):
        data_set[...] = change(data_set[()])

    def test_verify_says_what_no_hash_covers(self):
        """h5py takes the hash of all bytes away, and that of the content covers no names and no attributes."""
        self.small_set()
        self.pack()
        whole = self.out.read_bytes()
        changes = {"nothing": lambda file: None,
                   "train/names": lambda file: self.set(file["train/names"], lambda names: np.roll(names, 1)),
                   "test/names": lambda file: self.set(file["test/names"], lambda names: [b"elsewhere"] * len(names)),
                   "an attribute": lambda file: file.attrs.create("test_share", 0.5)}
        for name, change in changes.items():
            with self.subTest(changed=name):
                self.out.write_bytes(whole)
                with h5py.File(self.out, "r+") as file:
                    change(file)
                result = run("verify", self.out)
                self.assert_error(result, 3, self.out, "names and attributes", "cannot be told")
                self.assertEqual(result.stdout, "")
        for name, change, expected in (
                ("classes", lambda file: self.set(file["classes"], lambda names: names[::-1]), "content_sha256"),
                ("format", lambda file: file.attrs.modify("format", np.bytes_(b"another")), "not a data set"),
                ("format_version", lambda file: file.attrs.modify("format_version", 99), "99")):
            with self.subTest(changed=name):
                self.out.write_bytes(whole)
                with h5py.File(self.out, "r+") as file:
                    change(file)
                self.assert_error(run("verify", self.out), 3, self.out, expected)

    def test_verify_reads_the_names(self):
        """Which no hash covers where the file has lost its seal."""
        self.small_set()
        self.pack()
        with h5py.File(self.out) as file:
            address = file["test/names"].id.get_offset().to_bytes(8, "little")
        damaged = bytearray(self.out.read_bytes()[:-SEAL])
        self.assertEqual(damaged.count(address), 1)
        damaged[damaged.index(address) + 6] ^= 64  # far beyond the file's end
        self.out.write_bytes(damaged)
        self.assert_error(run("verify", self.out), 3, self.out, "/test/names")

    def test_what_is_no_data_set(self):
        for command in ("info", "verify"):
            self.assert_error(run(command, self.out), 4, self.out, "No such file or directory")
            self.out.write_text("text", encoding="utf-8")
            self.assert_error(run(command, self.out), 3, self.out, "not an HDF5 file")
            with h5py.File(self.out, "w") as file:
                file["x"] = 1
            self.assert_error(run(command, self.out), 3, self.out, "not a data set", "h5pack pack")
            self.out.unlink()

    def test_a_truncated_data_set(self):
        self.small_set()
        self.pack()
        self.out.write_bytes(self.out.read_bytes()[:-1000])
        self.assert_error(run("verify", self.out), 3, self.out, "damaged or incomplete")


class Synth(FolderTest):
    def files(self, folder):
        return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.png"))}

    def test_the_same_images_for_any_jobs_and_others_for_another_seed(self):
        made = {}
        for name, options in {"1": ("--jobs", "1"), "3": ("--jobs", "3"), "seed": ("--seed", "7")}.items():
            result = run("synth", self.folder / name, "--training", "300", "--testing", "100", *options)
            self.assertEqual(result.returncode, 0, result.stderr)
            made[name] = self.files(self.folder / name)
        self.assertEqual(len(made["1"]), 400)
        self.assertEqual(made["1"], made["3"])
        self.assertEqual(made["1"].keys(), made["seed"].keys())
        self.assertNotEqual(made["1"], made["seed"])
        self.assertEqual(len(set(made["1"].values())), 400)
        for split, count in (("training", 30), ("testing", 10)):
            for digit in range(10):
                self.assertEqual(len(list((self.folder / "1" / split / str(digit)).iterdir())), count)
        self.assertEqual(sorted(os.listdir(self.folder / "1")), ["testing", "training"])

    def test_size_and_no_test_images(self):
        self.assertEqual(run("synth", self.root, "--training", "20", "--testing", "0", "--size", "40").returncode, 0)
        self.assertEqual(os.listdir(self.root), ["training"])
        with Image.open(self.root / "training" / "3" / "000003.png") as image:
            self.assertEqual((image.mode, image.size), ("L", (40, 40)))
            self.assertGreater(np.asarray(image).max(), 150)

    def test_a_folder_that_is_not_empty(self):
        self.root.mkdir()
        (self.root / "mine").write_text("x", encoding="utf-8")
        self.assert_error(run("synth", self.root), 4, self.root, "not empty")
        self.assertEqual(os.listdir(self.root), ["mine"])

    def test_a_folder_in_a_missing_one(self):
        self.assert_error(run("synth", self.root / "deeper"), 4, self.root / "deeper", "No such file or directory")

    def wait_for_images(self):
        wait_until(lambda: next(self.root.rglob("*.png"), None), "the first image")

    def test_an_interruption_leaves_nothing(self):
        for exists in (False, True):
            if exists:
                self.root.mkdir()
            process = subprocess.Popen([H5PACK, "synth", str(self.root), "--training", "1000000"],
                                       stderr=subprocess.DEVNULL)
            self.wait_for_images()
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(PATIENCE), -signal.SIGINT)
            self.assertEqual(self.root.exists(), exists)
        self.assertEqual(os.listdir(self.root), [])

    def test_what_a_killed_one_leaves_is_no_data_and_is_taken_away(self):
        process = subprocess.Popen([H5PACK, "synth", str(self.root), "--training", "1000000"],
                                   stderr=subprocess.DEVNULL)
        self.wait_for_images()
        process.kill()
        process.wait(PATIENCE)
        self.assert_error(run("pack", self.root, self.out), 3, "no PNG or JPEG images")
        self.assertEqual(run("synth", self.root, "--training", "10", "--testing", "10").returncode, 0)
        self.assertEqual(sorted(os.listdir(self.root)), ["testing", "training"])


class CommandLine(FolderTest):
    def test_wrong_usage(self):
        for arguments, part in (((), "--help"), (("nonsense",), "nonsense"), (("--wrong",), "--wrong"),
                                (("pack",), "ROOT"), (("pack", "a"), "OUT.h5"),
                                (("pack", "a", "b", "--wrong"), "--wrong"),
                                (("pack", "a", "b", "--size", "28"), "WIDTHxHEIGHT"),
                                (("pack", "a", "b", "--size", "0x28"), "WIDTHxHEIGHT"),
                                (("pack", "a", "b", "--size", "-1x28"), "WIDTHxHEIGHT"),
                                (("pack", "a", "b", "--size", "99999x99999"), "limit"),
                                (("pack", "a", "b", "--jobs", "0"), "--jobs: '0' must be a whole number from 1"),
                                (("pack", "a", "b", "--gzip", "10"), "--gzip: '10' must be a whole number from 0 to 9"),
                                (("pack", "a", "b", "--gzip"), "--gzip wants one value"),
                                (("pack", "a", "b", "--on-bad-image", "ignore"),
                                 "--on-bad-image: 'ignore' must be one of: fail, skip"),
                                (("synth", "a", "--training", "-5"), "--training: '-5' must be a whole number from 10"),
                                (("info",), "FILE")):
            with self.subTest(arguments=arguments):
                self.assert_error(run(*arguments), 2, part, "--help")

    def test_help_and_version(self):
        for arguments, parts in ((("--help",), ("pack", "info", "verify", "synth")),
                                 (("pack", "--help"), ("--size WxH", "pixels", "--gzip 0-9=0",
                                                       "--on-bad-image fail|skip=fail")),
                                 (("synth", "--help"), ("--training N=10000", "--testing N=2000", "--seed")),
                                 (("info", "--help"), ("FILE",)), (("verify", "--help"), ("FILE",))):
            result = run(*arguments)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            for part in parts:
                self.assertIn(part, result.stdout)
            for line in result.stdout.splitlines():
                self.assertLessEqual(len(line), 80, line)
        self.assertRegex(run("--version").stdout, r"^h5pack \d+\.\d+\.\d+\n$")

    def test_a_summary_that_cannot_be_written(self):
        self.small_set()
        with open("/dev/full", "w", encoding="utf-8") as full:
            result = subprocess.run([H5PACK, "pack", str(self.root), str(self.out)], stdout=full,
                                    stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(result.returncode, 4)
        self.assertIn("cannot write to standard output: No space left on device", result.stderr)

    def test_a_progress_bar_on_a_terminal_only(self):
        self.slow_set()
        terminal, other_end = pty.openpty()
        process = subprocess.Popen([H5PACK, "pack", str(self.root), str(self.out), "--gzip", "1"], stderr=other_end,
                                   stdout=subprocess.DEVNULL)
        os.close(other_end)
        shown = b""
        try:
            while data := os.read(terminal, 65536):
                shown += data
        except OSError:  # how a terminal says that nobody is left at the other end
            pass
        os.close(terminal)
        self.assertEqual(process.wait(), 0)
        self.assertRegex(shown.decode(), r"\rpacking \[#+ +\] \d+ of 800 images")
        self.assertTrue(shown.endswith(b"\r\x1b[K"), shown[-20:])
        result = self.pack()
        self.assertNotIn("\r", result.stderr)


if __name__ == "__main__":
    runner.main()
