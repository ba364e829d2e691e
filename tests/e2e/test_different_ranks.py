"""Attacks promise 4 where ranks were started with different programs, options or files: nothing of it may train, and
each difference is told with both values."""

import os
import unittest
from pathlib import Path

from program import BAD_DATA, MNIST_DIST, USAGE, ProgramTest, Shared, draw_digits, h5py, main, pack


def setUpModule():
    Shared.make()
    Others.make()


class Others:
    """Files that look like the shared ones."""

    data = None
    model = None
    other_model = None

    @classmethod
    def make(cls):
        cls.data = pack(draw_digits(Shared.folder / "others", 1200, 300, "--seed", "5"))
        cls.model = Shared.train("one", "--epochs", 1, "--hidden", 8) / "model.h5"
        cls.other_model = Shared.train("another", "--epochs", 1, "--hidden", 8, "--seed", 1) / "model.h5"


def content_of(data):
    with h5py.File(data) as file:
        return file.attrs["content_sha256"].decode()


class DifferentRanks(ProgramTest):
    def assert_told(self, first, second, exit_code, *mentions, environment=()):
        """Rank 0 runs the first command, ranks 1 and 2 the second one."""
        result = self.run_program(*first, ":", "-np", 2, *environment, MNIST_DIST, *second, ranks=1)
        self.assert_one_error(result, exit_code, "mnist-dist: error (rank 1 on ", "rank 0 on ", "rank 1 on ", *mentions)
        self.assertEqual(result.stdout, "")
        self.assertEqual(list(self.folder.iterdir()), [])

    def training(self, *options, data=None):
        return ["train", data or Shared.data, "-o", "run", "--epochs", 1, *options]

    def test_settings(self):
        for name, value, other in (("seed", 0, 3), ("learning-rate", 0.001, 0.002), ("batch-size", 100, 50),
                                   ("hidden", [100, 100, 100], [7]), ("reduction", '"tree"', '"mpi"'),
                                   ("shards", 8, 4), ("activation", '"leaky-relu"', '"gelu"')):
            with self.subTest(name):
                given = str(other).strip('"[]')
                self.assert_told(self.training(), self.training(f"--{name}={given}"), USAGE,
                                 f"--{name} is {value} at rank 0", f"but {other} at rank 1")

    def test_settings_of_a_file(self):
        config = Shared.folder / "config.toml"
        config.write_text("dropout = 0.5\n", encoding="utf-8")
        self.assert_told(self.training(), self.training("--config", config), USAGE, "--dropout is 0.2", "0.5")

    def test_data(self):
        for command in (self.training, lambda data=None: ["bench", data or Shared.data, "--seconds", 0.01],
                        lambda data=None: ["evaluate", data or Shared.data, "-m", Others.model]):
            self.assert_told(command(), command(data=Others.data), BAD_DATA, content_of(Shared.data),
                             content_of(Others.data))

    def test_the_same_data_elsewhere(self):
        copy = Shared.folder / "copy.h5"
        copy.write_bytes(Shared.data.read_bytes())
        result = self.run_program(*self.training(), ":", "-np", 2, MNIST_DIST, *self.training(data=copy), ranks=1)
        self.assert_exit(result, 0)

    def test_models(self):
        self.assert_told(["evaluate", Shared.data, "-m", Others.model],
                         ["evaluate", Shared.data, "-m", Others.other_model], BAD_DATA, "the SHA-256 of the model")

    def test_initial_models(self):
        begin = self.training("--init-from", Others.model)
        for other in (self.training("--init-from", Others.other_model), self.training("--hidden", 8)):
            self.assert_told(begin, other, BAD_DATA, "the SHA-256 of the model that --init-from names")
        copy = Shared.folder / "copy-of-model.h5"
        copy.write_bytes(Others.model.read_bytes())
        result = self.run_program(*begin, ":", "-np", 2, MNIST_DIST, *self.training("--init-from", copy), ranks=1)
        self.assert_exit(result, 0)

    def test_commands(self):
        self.assert_told(self.training(), ["evaluate", Shared.data, "-m", Others.model], USAGE, "train", "evaluate")
        self.assert_told(["bench", Shared.data], self.training(), USAGE, "bench", "train")
        self.assert_told(self.training(), ["train", "--resume", "run"], USAGE, "train --resume")

    def test_arithmetic(self):
        products = ("--products", "openblas")
        self.assert_told(self.training(*products), self.training(*products), USAGE, "the arithmetic", "core ",
                         "core Nehalem", environment=("env", "OPENBLAS_CORETYPE=Nehalem"))

    @unittest.skipUnless(" fma " in Path("/proc/cpuinfo").read_text(encoding="ascii"), "needs x86-64 with FMA")
    def test_vectors(self):
        """A host with fused multiply-add beside one without: the kernels of the two round otherwise."""
        other = ("env", f"LD_PRELOAD={os.environ['VECTORS_SHIM']}")
        told = ("the arithmetic is fused multiply-add at rank 0", "but multiply, then add at rank 1")
        self.assert_told(self.training(), self.training(), USAGE, *told, environment=other)
        evaluation = ["evaluate", Shared.data, "-m", Others.model]
        self.assert_told(evaluation, evaluation, USAGE, *told, environment=other)

    def test_programs(self):
        """A program is known by its build id, of which one byte is changed here."""
        other = Shared.folder / "mnist-dist"
        program = bytearray(open(MNIST_DIST, "rb").read())
        note = program.index(b"GNU\0", program.index(b"\x14\0\0\0\x03\0\0\0GNU\0") + 8)
        program[note + 4] ^= 1
        other.write_bytes(program)
        other.chmod(0o755)
        result = self.run_program(*self.training(), ":", "-np", 2, other, *self.training(), ranks=1)
        self.assert_one_error(result, USAGE, "the program is ", "build id", "rank 0 on ", "rank 1 on ")


if __name__ == "__main__":
    main()
