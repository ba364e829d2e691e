"""Attacks promise 4 where something gives out: memory, the place that standard output goes to, one rank of several."""

import os
import resource
from pathlib import Path

from program import (FILE_SYSTEM, FOREVER, LONG_EPOCHS, MNIST_DIST, RANK_FAILED, USAGE, ProgramTest, Shared,
                     error_lines, main)

LARGE = 40000     # hidden units, whose weights take 130 MB, four times over
SLACK = 60 << 20  # memory beyond that of a small run

setUpModule = Shared.make


def address_space_of_a_run(test):
    """The bytes that a small run takes, with its libraries."""
    job = test.start("train", Shared.data, "-o", "small", "--epochs", FOREVER, *LONG_EPOCHS)
    test.wait_for_epoch(job, test.folder / "small", 1)
    status = Path(f"/proc/{job.process.pid}/status").read_text(encoding="ascii")
    job.kill()
    return 1024 * int(status.split("VmPeak:")[1].split()[0])


class Memory(ProgramTest):
    def assert_refused(self, mentions, *arguments, ranks=None):
        self.assert_one_error(self.run_program(*arguments, ranks=ranks), USAGE, *mentions)

    def test_more_memory_than_there_is(self):
        """Found out before anything is allocated; a batch is never larger than the training rows."""
        mentions = ["--hidden 1048576,1048576", "--batch-size 100", "TB"]
        for ranks in (None, 2):
            self.assert_refused(mentions, "train", Shared.data, "--hidden", "1048576,1048576", ranks=ranks)
        self.assert_refused(mentions, "bench", Shared.data, "--hidden", "1048576,1048576")
        # Few parameters, but 1080 rows take 13 GB in each of the wide layers.
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGESIZE")
        wide = ",".join(["1", "1048576"] * (1 + memory // (13 << 30)))
        self.assert_refused([f"--hidden {wide} and --batch-size {2**53}"], "train", Shared.data, "--hidden", wide,
                            "--batch-size", 2**53)

    def test_batch_of_all_rows(self):
        runs = [self.train(f"of-{size}", "--epochs", 2, "--hidden", 16, "--batch-size", size) for size in (1080, 2**53)]
        self.assert_same_run(*runs)

    def test_out_of_memory(self):
        limit = address_space_of_a_run(self) + SLACK
        result = self.run_program("train", Shared.data, "-o", "run", "--epochs", 1, "--hidden", LARGE,
                                  preexec=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
        self.assert_one_error(result, RANK_FAILED, USAGE, "out of memory", "MB", "--hidden")


class StandardOutput(ProgramTest):
    def assert_full(self, *arguments):
        with self.subTest(arguments=" ".join(map(str, arguments))), open("/dev/full", "w", encoding="ascii") as full:
            result = self.run_program(*arguments, output=full)
            self.assert_one_error(result, FILE_SYSTEM, "standard output")

    def test_full_standard_output(self):
        run = self.train("small", "--epochs", 1, "--hidden", 16)
        image = next(Shared.digits.glob("testing/3/*.png"))
        for arguments in (("--help",), ("--version",), ("train", "--help"), ("train", "--list-recipes"),
                          ("predict", run / "model.h5", image), ("predict", "--json", run / "model.h5", image),
                          ("info", run / "model.h5"), ("info", run), ("info", Shared.data),
                          ("evaluate", Shared.data, "-m", run / "model.h5", "--report", "report.json"),
                          ("preview-augmentation", Shared.data, "--shift", 1, "-o", "sheet.png"),
                          ("bench", Shared.data, "--seconds", 0.01, "--hidden", 16),
                          ("bench", Shared.data, "--seconds", 0.01, "--hidden", 16, "--json"),
                          ("train", Shared.data, "-o", "run", "--epochs", 1, "--hidden", 16)):
            self.assert_full(*arguments)
        self.assertFalse((self.folder / "run").exists(), "a run that could not begin")


class OneRank(ProgramTest):
    """A rank that fails alone is named."""

    def test_agreed_failure(self):
        result = self.run_program("train", Shared.data, "-o", "run", ":", "-np", 2, MNIST_DIST, "train", "nothing.h5",
                                  "-o", "run", ranks=1)
        self.assert_one_error(result, FILE_SYSTEM, "mnist-dist: error (rank 1 on ", "nothing.h5")

    def test_failure_of_the_first_rank(self):
        result = self.run_program("train", "nothing.h5", ":", "-np", 1, MNIST_DIST, "train", Shared.data, ranks=1)
        self.assert_one_error(result, FILE_SYSTEM, "mnist-dist: error: ", "nothing.h5")

    def test_wrong_command_line(self):
        for first, second, error in ((["train", "--typo"], ["train", "--typo"], "error: "),
                                     (["train", Shared.data], ["train", "--typo"], "error (rank 1 on "),
                                     (["train", "--typo"], ["train", Shared.data], "error: "),
                                     (["evaluate", Shared.data], ["evaluate", "--typo"], "error (rank 1 on ")):
            result = self.run_program(*first, ":", "-np", 2, MNIST_DIST, *second, ranks=1)
            self.assert_one_error(result, USAGE, f"mnist-dist: {error}", "--typo")

    def test_lonely_failure(self):
        """Rank 1 has no memory for what the others have memory for, and ends all."""
        arguments = ("train", Shared.data, "-o", "run", "--epochs", FOREVER, "--hidden", LARGE)
        limit = address_space_of_a_run(self) + SLACK
        result = self.run_program(*arguments, ":", "-np", 1, "sh", "-c", f'ulimit -v {limit // 1024}; exec "$@"', "sh",
                                  MNIST_DIST, *arguments, ranks=1)
        self.assert_exit(result, RANK_FAILED)
        self.assertIn("mnist-dist: error (rank 1 on ", error_lines(result)[0])


if __name__ == "__main__":
    main()
