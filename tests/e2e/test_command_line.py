"""Attacks what the command line says to somebody who does not know it yet: help, typing errors, mpirun's words."""

import re
import shlex
import shutil
import subprocess
import unittest
from pathlib import Path

from program import (DONE, FILE_SYSTEM, H5PACK, MNIST_DIST, MPIEXEC, PATIENCE, USAGE, ProgramTest, Shared, environment,
                     error_lines, main)

ROOT = Path(__file__).resolve().parents[2]

COMMANDS = ("train", "launch", "bench", "doctor", "evaluate", "report", "predict", "preview-augmentation", "info",
            "runs", "compare", "reproduce", "remove")
# Those of commands with many options: no option is outside of them.
GROUPS = {"Arguments", "Settings as a whole", "Data", "Network", "Optimiser", "Augmentation of training images",
          "Stopping", "Computation", "Files", "Measuring", "Sheet", "Other"}
CODES = {"train": [0, 2, 3, 4, 5, 70, 75], "launch": [0, 2, 3, 4, 5, 6, 7, 70, 75], "bench": [0, 2, 3, 4, 5, 70],
         "doctor": [0, 2, 4, 5, 7, 70], "evaluate": [0, 2, 3, 4, 5, 70],
         "report": [0, 2, 3, 4, 70], "predict": [0, 2, 3, 4, 70], "preview-augmentation": [0, 2, 3, 4, 70],
         "info": [0, 2, 3, 4, 70],
         "runs": [0, 2, 4, 70], "compare": [0, 2, 3, 4, 70], "reproduce": [0, 2, 3, 4, 5, 6, 70, 75],
         "remove": [0, 2, 4, 70]}


def setUpModule():
    Shared.make()


def groups_of(text):
    """The headings of a help text, with the options below each."""
    groups = {}
    for line in text.splitlines():
        if re.fullmatch(r"[A-Z][a-z ]*:", line):
            groups[line[:-1]] = []
        elif groups and re.match(r"  -", line):
            list(groups.values())[-1].append(line.split()[0])
    return groups


def codes_of(text):
    listed = re.search(r"exit codes: ((?:.|\n)*?)\n\n", text).group(1)
    return [int(number) for number in re.findall(r"(?:^|, |,\n +)(\d+)\s", listed)]


class Help(ProgramTest):
    def test_80_columns(self):
        for command in ((), *((command,) for command in COMMANDS)):
            for line in self.succeed(*command, "--help").splitlines():
                self.assertLessEqual(len(line), 80, line)

    def test_every_option_is_in_a_group(self):
        for command in ("train", "bench", "doctor", "preview-augmentation"):
            groups = groups_of(self.succeed(command, "--help"))
            self.assertLessEqual(set(groups), GROUPS, command)
            options = [option for group in groups.values() for option in group]
            self.assertEqual(len(options), len(set(options)), "an option twice")
            self.assertGreater(len(options), 30)
        groups = groups_of(self.succeed("train", "--help"))
        for group, option in (("Network", "--dropout"), ("Optimiser", "--learning-rate"), ("Optimiser", "--batch-size"),
                              ("Augmentation of training images", "--shift"), ("Data", "--holdout"),
                              ("Stopping", "--window"), ("Computation", "--shards"), ("Files", "--checkpoint-every"),
                              ("Files", "-o,--output"), ("Settings as a whole", "--recipe")):
            self.assertIn(option, groups[group])

    def test_ranges_are_the_true_ones(self):
        words = " ".join(self.succeed("train", "--help").split())
        for option, limits in (("dropout", "0 to 0.999"), ("rotation", "0 to 180"), ("hang-timeout", "0 to 86400")):
            self.assertRegex(words, rf"--{option} \S+ [^\[]*\[{limits}\]")
            high = float(limits.split()[-1])
            self.assert_one_error(self.run_program("train", Shared.data, f"--{option}", round(high + 1)), USAGE, option)

    def test_exit_codes(self):
        self.assertEqual(codes_of(self.succeed("--help")), [0, 2, 3, 4, 5, 6, 7, 70, 75])
        for command, codes in CODES.items():
            self.assertEqual(codes_of(self.succeed(command, "--help")), codes, command)

    def test_the_example_works(self):
        example = self.succeed("--help").split("\nexample:")[1]
        for line in example.strip().splitlines():
            words = shlex.split(line, comments=True)
            program = {"h5pack": H5PACK, "mnist-dist": MNIST_DIST}[words[0]]
            small = ["--training", "600", "--testing", "100"] if words[1] == "synth" else []  # 60000 are many
            result = subprocess.run([program, *words[1:], *small], cwd=self.folder, env=environment(),
                                    capture_output=True, text=True, timeout=PATIENCE, check=False)
            self.assertEqual(result.returncode, DONE, f"{line}: {result.stderr}")
        self.assertIn("of 100 images right", result.stdout)

    def test_words(self):
        for words, option in ((("help",), ("--help",)), (("help", "train"), ("train", "--help")),
                              (("version",), ("--version",))):
            self.assertEqual(self.succeed(*words), self.succeed(*option))


class ManualPages(ProgramTest):
    @unittest.skipUnless(shutil.which("help2man"), "help2man is not installed")
    def test_every_command_has_one_with_all_its_options(self):
        subprocess.run([ROOT / "tools" / "man-pages", Path(MNIST_DIST).parent, self.folder / "man"], check=True)
        pages = {path.stem: path.read_text(encoding="utf-8").replace("\\-", "-")
                 for path in (self.folder / "man").iterdir()}
        programs = {"mnist-dist", "h5pack", *(f"h5pack-{command}" for command in ("pack", "info", "verify", "synth"))}
        self.assertEqual(set(pages), programs | {f"mnist-dist-{command}" for command in COMMANDS})
        for command in COMMANDS:
            page = pages[f"mnist-dist-{command}"]
            self.assertRegex(page, rf'\.TH MNIST-DIST-{command.upper()} "1"')
            options = set(re.findall(r"--[a-z][a-z0-9-]*", self.succeed("help", command)))
            self.assertLessEqual(options, set(re.findall(r"--[a-z][a-z0-9-]*", page)), command)


class TypingErrors(ProgramTest):
    def test_nearest_word(self):
        for arguments, meant in (
                (("tain", "mnist.h5"), "train"), (("evalute",), "evaluate"), (("help", "tain"), "train"),
                (("train", "--epoch", 5), "--epochs"), (("train", "--epoch=5"), "--epochs"),
                (("train", "-epochs", 5), "--epochs"), (("train", "--learning_rate", 0.1), "--learning-rate"),
                (("train", "--optim", "adam"), "--optimizer"), (("evaluate", "--modle", "x"), "--model"),
                (("train", "--recipe", "fats"), "fast"), (("train", "--optimizer", "adamx"), "adamax"),
                (("train", "--schedule", "cosin"), "cosine"), (("train", "--activation", "gelo"), "gelu")):
            result = self.run_program(*arguments)
            self.assert_one_error(result, USAGE, f"(did you mean {meant}?)")
        (self.folder / "wrong.toml").write_text("learning-rat = 1\n", encoding="utf-8")
        self.assert_one_error(self.run_program("train", "--config", "wrong.toml"), USAGE,
                              "(did you mean learning-rate?)")

    def test_far_words(self):
        for arguments in (("fly",), ("train", "--fly"), ("train", "--recipe", "fly")):
            result = self.run_program(*arguments)
            self.assert_one_error(result, USAGE, "fly")
            self.assertNotIn("did you mean", result.stderr)

    def test_wrong_values(self):
        """With the value, and what it may be."""
        for arguments, words in (
                (("evaluate", "--split", "tset"), "--split: 'tset' must be one of: test, holdout (did you mean test?)"),
                (("predict", "x", "--invert", "maybe"), "--invert: 'maybe' must be one of: auto, yes, no"),
                (("predict", "x", "--top", "0"), "--top: '0' must be a whole number from 1 to 1000000"),
                (("launch", "-np", "two", "train"), "--np: 'two' must be a whole number from 1 to 65536"),
                (("bench", "--hang-timeout", "-1"), "--hang-timeout: '-1' must be a whole number from 0 to 86400"),
                (("train", "--epochs", "ten"), "--epochs: 'ten' is no whole number"),
                (("train", "--epochs", "1.5"), "--epochs: '1.5' is no whole number"),
                (("train", "--epochs", "-1"), "--epochs: -1 is negative"),
                (("train", "--epochs"), "--epochs wants one value"),
                (("train", "--epochs", "1", "--epochs", "2"), "--epochs wants one value"),
                (("train", "--learning-rate", "0,1"), "--learning-rate: '0,1' is no number, such as 0.1 or 1e-3")):
            result = self.run_program(*arguments)
            self.assert_one_error(result, USAGE, f"{words}; see `mnist-dist {arguments[0]} --help`")

    def test_empty_names(self):
        """Such as those of variables of the shell that are not set."""
        for arguments, option in ((("train", "--resume", ""), "--resume"), (("train", "-o", ""), "--output"),
                                  (("train", "--config", ""), "--config"), (("train", "--resume=", "-v"), "--resume"),
                                  (("evaluate", "--model", ""), "--model"),
                                  (("info", ""), "FILE"), (("launch", "-np", "2", "--hosts", "", "train"), "--hosts")):
            self.assert_one_error(self.run_program(*arguments), USAGE, f"{option}: '' names nothing")

    def test_h5pack(self):
        result = subprocess.run([H5PACK, "pakc", "digits"], capture_output=True, text=True, timeout=PATIENCE,
                                check=False)
        self.assertEqual(result.returncode, USAGE)
        self.assertIn("(did you mean pack?)", result.stderr)

    def test_no_data_set_yet(self):
        (self.folder / "run").mkdir()
        (self.folder / "run" / "config.toml").touch()
        for arguments, mentions in ((("train",), ["mnist.h5", "h5pack pack FOLDER mnist.h5"]),
                                    (("bench", "my.h5"), ["h5pack pack FOLDER my.h5"]),
                                    (("train", Shared.digits), [f"{Shared.digits} is a folder", "h5pack pack"]),
                                    (("train", "run"), ["run is the folder of a run", "--resume"])):
            self.assert_one_error(self.run_program(*arguments), FILE_SYSTEM, *mentions)


class Launcher(ProgramTest):
    def test_quiet_mpirun_keeps_one_line_one_line(self):
        """And the exit code."""
        for arguments, exit_code in ((("train", "--typo"), USAGE), (("train", "nothing.h5"), FILE_SYSTEM),
                                     (("info", "nothing.h5"), FILE_SYSTEM)):
            result = subprocess.run([MPIEXEC, "--quiet", "-np", "3", MNIST_DIST, *arguments], cwd=self.folder,
                                    env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                    timeout=PATIENCE, check=False)
            self.assertEqual(result.returncode, exit_code, result.stderr)
            self.assertEqual(len(error_lines(result)), 1, result.stderr)
            self.assertEqual(result.stderr.splitlines(), error_lines(result))


if __name__ == "__main__":
    main()
