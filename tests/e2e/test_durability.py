"""Attacks promise 2 where no kill reaches: a power cut loses what was not flushed. Looks at the order in which the
programs write, flush and name their files; and interrupts each of these calls."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from program import (BAD_DATA, DONE, ENDLESS, FILE_SYSTEM, H5PACK, PATIENCE, SHIM, ProgramTest, Shared, command_line,
                     draw_digits, environment, main, read_manifest, sha256, shim)

setUpModule = Shared.make

EPOCHS = 2
OPTIONS = ("--epochs", EPOCHS, "--hidden", 8, *ENDLESS)


class File:
    """What became of one file that was opened for writing; the places of the calls in the log, or None."""

    def __init__(self, opened, path, kind):
        self.opened, self.path, self.kind = opened, path, kind
        self.writes = []
        self.flushes = []
        self.target = self.renamed = self.folder_flushed = None


def read_log(path):
    """The files that got their target's name, in the order in which they did."""
    descriptors, names, committed = {}, {}, []
    for place, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        call, *fields = line.split("\t")
        if call == "open":
            # /proc/self/fd/3 is another way to the file of descriptor 3.
            again = Path(fields[1]).parent == Path("/proc/self/fd") and descriptors.get(Path(fields[1]).name)
            file = again or names.get(fields[1]) or File(place, fields[1], kind=fields[2])
            descriptors[fields[0]] = file
            if file.kind == "O_CREAT":
                names[file.path] = file
        elif call == "close":
            descriptors.pop(fields[0], None)
        elif call in ("write", "fsync") and fields[0] in descriptors:
            file = descriptors[fields[0]]
            (file.writes if call == "write" else file.flushes).append(place)
            if call == "fsync":
                for other in committed:
                    if other.folder_flushed is None and folder_of(other.target) == file.path:
                        other.folder_flushed = place
        elif call == "linkat":
            names[fields[1]] = descriptors[Path(fields[0]).name]
        elif call == "rename" and fields[0] in names:
            file = names.pop(fields[0])
            file.target, file.renamed = fields[1], place
            committed.append(file)
    return committed


def folder_of(path):
    return os.path.dirname(path) or "."


class Order(ProgramTest):
    def run_logged(self, name, *command, exit_code=DONE, **variables):
        """Runs the command in the test's folder; gives the files that it made or replaced."""
        log = self.folder / f"{name}.log"
        result = subprocess.run([str(word) for word in command], cwd=self.folder, check=False, timeout=PATIENCE,
                                capture_output=True, text=True,
                                env={**environment(), **shim(FILE_SYSTEM_LOG=log, **variables)})
        self.assertEqual(result.returncode, exit_code, result.stdout + result.stderr)
        return read_log(log)

    def train_logged(self, name, **variables):
        return self.run_logged(name, *command_line(("train", Shared.data, "-o", name, *OPTIONS), None), **variables)

    def assert_durable(self, files, expected):
        """Each target in this order, and each one's bytes on the disk before its name, its name before the next."""
        self.assertEqual([file.target for file in files], expected)
        durable = -1
        for file in files:
            with self.subTest(target=file.target):
                self.assertGreater(file.opened, durable, "begun before the file before it was on the disk")
                self.assertTrue(file.writes, "nothing was written")
                self.assertTrue(file.flushes, "the file was never flushed")
                self.assertGreater(file.flushes[-1], file.writes[-1], "written to after it was flushed")
                self.assertGreater(file.renamed, file.flushes[-1], "got its name before its bytes were on the disk")
                self.assertIsNotNone(file.folder_flushed, "the folder was never flushed")
                durable = file.folder_flushed

    def targets_of(self, name):
        """Of a run: the checkpoint of an epoch before what follows from it."""
        steps = [entry["file"] for entry in read_manifest(self.folder / name)["checkpoints"]]
        epochs = (self.folder / name / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        self.assertEqual(len(epochs), EPOCHS)
        targets = ["config.toml"]
        for step, epoch in zip(steps, map(json.loads, epochs), strict=True):
            targets += [f"checkpoints/{step}", "checkpoints/manifest.json", "metrics.csv", "metrics.jsonl"]
            targets += ["model.h5"] if epoch["best"] else []
        return [f"{name}/{target}" for target in targets]

    def test_a_run(self):
        self.assert_durable(self.train_logged("run"), self.targets_of("run"))

    def test_a_data_set(self):
        digits = draw_digits(self.folder / "digits", 30, 10)
        self.assert_durable(self.run_logged("pack", H5PACK, "pack", digits, "digits.h5"), ["digits.h5"])

    def test_a_run_where_files_cannot_be_nameless(self):
        self.train_logged("usual")
        files = self.train_logged("named", FILE_SYSTEM_NO_TMPFILE="1")
        self.assertEqual({file.kind for file in files}, {"O_CREAT"})
        self.assert_durable(files, self.targets_of("named"))
        self.assertEqual(sha256(self.folder / "named" / "model.h5"), sha256(self.folder / "usual" / "model.h5"))
        self.assertEqual(list(self.folder.rglob("*.partial")), [])

    def test_failing_where_files_cannot_be_nameless(self):
        digits = draw_digits(self.folder / "digits", 30, 10)
        (digits / "testing" / "9" / "broken.png").write_bytes(b"no image")
        files = self.run_logged("pack", H5PACK, "pack", digits, "digits.h5", exit_code=BAD_DATA,
                                FILE_SYSTEM_NO_TMPFILE="1")
        self.assertEqual(files, [])
        self.assertIn("/.digits.h5.partial\tO_CREAT", (self.folder / "pack.log").read_text(encoding="utf-8"))
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["digits", "pack.log"])

    def interrupt_each(self, name, *command, **variables):
        """Runs the command, whose calls for files in the test's folder fail with EINTR, each once. Gives the calls."""
        self.run_logged(name, *command, FILE_SYSTEM_FAULT="EINTR", FILE_SYSTEM_FAULT_AT="each",
                        FILE_SYSTEM_FOLDER=os.path.realpath(self.folder), **variables)
        lines = (self.folder / f"{name}.log").read_text(encoding="utf-8").splitlines()
        return {line.split("\t")[1] for line in lines if line.startswith("call\t")}

    def test_interrupted_calls(self):
        """By a signal, or on a file system over a network."""
        self.train_logged("usual")
        usual = sha256(self.folder / "usual" / "model.h5")
        interrupted = self.interrupt_each("synth", H5PACK, "synth", "digits", "--training", 1200, "--testing", 300)
        interrupted |= self.interrupt_each("pack", H5PACK, "pack", "digits", "digits.h5")
        self.assertEqual(sha256(self.folder / "digits.h5"), sha256(Shared.data))
        for name, variables in (("runs/nameless", {}), ("runs/named", {"FILE_SYSTEM_NO_TMPFILE": "1"})):
            begin = command_line(("train", "digits.h5", "-o", name, "--epochs", 1, "--hidden", 8, *ENDLESS), None)
            interrupted |= self.interrupt_each(f"begin-{variables}", *begin, **variables)
            go_on = command_line(("train", "--resume", name, "--epochs", EPOCHS), None)
            interrupted |= self.interrupt_each(f"go-on-{variables}", *go_on, **variables)
            self.assertEqual(sha256(self.folder / name / "model.h5"), usual)
        self.assertEqual(interrupted, {"open", "read", "write", "pread", "pwrite", "ftruncate", "fsync", "close",
                                       "mkdir", "linkat", "symlink", "rename", "unlink"})

    def test_failing_flushes(self):
        """Of each file and each folder: a run that ends well has all on the disk."""
        out = self.folder / "out"  # runs/latest lies elsewhere
        out.mkdir()
        variables = {"FILE_SYSTEM_FOLDER": os.path.realpath(out)}
        begin = ("train", Shared.data, "-o", "out/run", "--epochs", 1, "--hidden", 8, *ENDLESS)
        self.run_logged("usual", *command_line(begin, None), **variables)
        lines = (self.folder / "usual.log").read_text(encoding="utf-8").splitlines()
        calls = [line.split("\t")[1:] for line in lines if line.startswith("call\t")]
        flushes = [(at, path) for at, (name, path) in enumerate(calls, 1) if name == "fsync"]
        for what, is_folder in (("files", False), ("folders", True)):
            found = [path for _, path in flushes if (self.folder / path).is_dir() == is_folder]
            self.assertGreaterEqual(len(found), 6, f"{what}: {found}")
        for at, path in flushes:
            with self.subTest(path=path, call=at):
                shutil.rmtree(out / "run")
                fault = {**variables, "FILE_SYSTEM_FAULT": "EIO", "FILE_SYSTEM_FAULT_AT": str(at)}
                result = self.run_program(*begin, ranks=["env", *(f"{name}={value}"
                                                                  for name, value in shim(**fault).items())])
                self.assert_one_error(result, FILE_SYSTEM, "Input/output error")


if __name__ == "__main__":
    if not SHIM:
        sys.exit("set FILE_SYSTEM_SHIM to the library that logs what is done to files, as CTest does")
    main()
