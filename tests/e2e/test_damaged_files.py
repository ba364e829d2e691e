"""Attacks promise 4 with damaged models and data sets: each one is refused in one line, or the damage is without
effect; nothing crashes, and nothing hangs. HDF5 itself survives neither all of them nor any heap that is damaged."""

import random
import shutil
import subprocess

from program import (BAD_DATA, DONE, H5PACK, PATIENCE, SEAL, ProgramTest, Shared, draw_digits, environment, h5py, main,
                     pack, sha256)


def setUpModule():
    Shared.make()
    Small.make()


class Small:
    """A data set of few images, so that much of it is what HDF5 reads; and a model."""

    data = None
    model = None

    @classmethod
    def make(cls):
        cls.data = pack(draw_digits(Shared.folder / "small", 30, 10)).read_bytes()
        cls.model = (Shared.train("run", "--epochs", 1, "--hidden", 8) / "model.h5").read_bytes()


def flipped(data, bit):
    damaged = bytearray(data)
    damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


class Damage(ProgramTest):
    def write(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def assert_refused(self, *arguments):
        result = self.run_program(*arguments)
        self.assert_one_error(result, BAD_DATA)

    def commands(self, data):
        """Each program that reads the data set."""
        yield "mnist-dist", self.run_program("info", data)
        yield "h5pack", subprocess.run([H5PACK, "info", data], cwd=self.folder, env=environment(), text=True,
                                       capture_output=True, timeout=PATIENCE, check=False)


class Models(Damage):
    def test_every_damage_is_seen(self):
        random.seed(1)
        size = len(Small.model)
        damaged = [flipped(Small.model, bit) for bit in random.sample(range(8 * size), 40)]
        damaged += [Small.model[:length] for length in (0, 1, 7, 8, 100, size // 2, size - SEAL, size - 1)]
        damaged += [Small.model + b"x", b"\0" * size, Small.model[:2000] + b"\0" * 1500 + Small.model[3500:]]
        for data in damaged:
            self.assert_refused("info", self.write("model.h5", data))
        self.assert_refused("evaluate", Shared.data, "-m", "model.h5")
        self.assert_refused("predict", "model.h5", next(Shared.digits.glob("testing/3/*.png")))

    def test_other_files(self):
        for data in (Small.data, b"no model\n", Small.data[:-SEAL]):
            self.assert_refused("evaluate", Shared.data, "-m", self.write("model.h5", data))


class SealedDataSets(Damage):
    def test_every_damage_is_seen(self):
        random.seed(2)
        sealed = range(8 * (len(Small.data) - SEAL))
        for bit in random.sample(sealed, 20):
            data = self.write("data.h5", flipped(Small.data, bit))
            for program, result in self.commands(data):
                self.assertEqual(result.returncode, BAD_DATA, f"bit {bit}, {program}: {result.stderr}")
                self.assertIn("SHA-256", result.stderr)
        self.assert_refused("train", data)

    def test_whole(self):
        for _, result in self.commands(self.write("data.h5", Small.data)):
            self.assertEqual(result.returncode, DONE, result.stderr)


class OtherDataSets(Damage):
    """Files of other programs carry no hash: HDF5 must read them, in a process that may crash."""

    def assert_survived(self, data, what):
        for program, result in self.commands(data):
            self.assertIn(result.returncode, (DONE, BAD_DATA), f"{what}, {program}: {result.stderr}")
            if result.returncode == BAD_DATA:
                lines = [line for line in result.stderr.splitlines() if ": error: " in line]
                self.assertEqual(len(lines), 1, f"{what}: {result.stderr}")
                self.assertIn("data.h5", lines[0])

    def test_flipped_bits(self):
        random.seed(3)
        plain = Small.data[:-SEAL]
        with h5py.File(self.write("data.h5", plain)) as file:
            pixels = [file[f"{split}/images"].id.get_chunk_info(0) for split in ("train", "test")]
        inside = [range(8 * chunk.byte_offset, 8 * (chunk.byte_offset + chunk.size)) for chunk in pixels]
        bits = [bit for bit in random.sample(range(8 * len(plain)), 4000) if not any(bit in part for part in inside)]
        self.assertGreater(len(bits), 60)
        for bit in bits[:60]:
            self.assert_survived(self.write("data.h5", flipped(plain, bit)), f"bit {bit}")

    def test_cut_off(self):
        plain = Small.data[:-SEAL]
        for length in (*range(0, 2000, 400), *range(2000, len(plain), len(plain) // 8)):
            self.assert_survived(self.write("data.h5", plain[:length]), f"cut to {length}")

    def test_trains_on_them(self):
        first = self.train("first", "--epochs", 1)
        plain = self.write("plain.h5", Shared.data.read_bytes()[:-SEAL])
        second = self.train("second", "--epochs", 1, data=plain, ranks=2)
        self.assertEqual(sha256(first / "model.h5"), sha256(second / "model.h5"))

    def test_text_of_variable_size(self):
        path = self.folder / "data.h5"
        shutil.copy(Shared.data, path)
        with h5py.File(path, "r+") as file:
            file.attrs["content_sha256"] = file.attrs["content_sha256"].decode()
        for _, result in self.commands(path):
            self.assertEqual(result.returncode, BAD_DATA)
            self.assertIn("variable size", result.stderr)

    def test_damage_that_hdf5_does_not_survive(self):
        """Where the classes lie is said to be in the header itself, and there is nothing."""
        damaged = bytearray(Small.data[:-SEAL])
        with h5py.File(self.write("data.h5", Small.data)) as file:
            classes = file["classes"].id
            place = classes.get_offset().to_bytes(8, "little") + classes.get_storage_size().to_bytes(8, "little")
        layout = damaged.index(place)
        self.assertEqual(damaged[layout - 2:layout], b"\x03\x01")  # version, contiguous
        damaged[layout - 1:layout + 3] = bytes(4)
        path = self.write("data.h5", bytes(damaged))
        alone = subprocess.run([H5PACK, "probe-dataset", path], stderr=subprocess.DEVNULL, timeout=PATIENCE,
                               check=False)
        for _, result in self.commands(path):
            self.assertEqual(result.returncode, BAD_DATA)
            if alone.returncode < 0:  # HDF5 1.10 does not
                self.assertIn("data.h5 is damaged: HDF5 does not survive it", result.stderr)
        for ranks in (None, 2):
            self.assert_one_error(self.run_program("train", path, ranks=ranks), BAD_DATA, "data.h5")


if __name__ == "__main__":
    main()
