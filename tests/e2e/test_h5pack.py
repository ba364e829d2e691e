"""What h5pack pack makes, looked at with h5py, Pillow and numpy."""

import filecmp
import gzip
import os
import struct
import unittest
from hashlib import sha256
from pathlib import Path

import runner
from h5pack_program import FolderTest, exit_code_and_peak_memory, noise, run

import h5py
import numpy as np
from PIL import Image

SPLITS = {"train": "training", "test": "testing"}


def grey(colour):
    """ITU-R BT.601 luma of [..., 3], as h5pack documents it."""
    red, green, blue = (colour[..., i].astype(np.int64) for i in range(3))
    return ((299 * red + 587 * green + 114 * blue + 500) // 1000).astype(np.uint8)


class Pack(FolderTest):
    def test_h5py_reads_the_documented_names(self):
        self.small_set()
        result = self.pack()
        with h5py.File(self.out) as file:
            self.assertEqual(sorted(file), ["classes", "test", "train"])
            self.assertEqual(sorted(file["train"]), ["images", "labels", "mean", "names", "standard_deviation"])
            self.assertEqual(sorted(file["test"]), ["images", "labels", "names"])
            self.assertEqual(file.attrs["format"], b"mnist-dist dataset")
            self.assertEqual(file.attrs["format_version"], 1)
            self.assertRegex(file.attrs["content_sha256"].decode(), "^[0-9a-f]{64}$")
            self.assertIn(file.attrs["content_sha256"].decode(), result.stdout)
            self.assertEqual(file["train/images"].shape, (10, 9, 7))
            self.assertEqual(file["train/images"].dtype, np.uint8)
            self.assertIsNotNone(file["train/images"].chunks)
            self.assertEqual(file["train/labels"].dtype.kind, "i")
            self.assertEqual(list(file["classes"].asstr()), ["0", "1"])
            images = file["train/images"][:].astype(np.float64)
            for name, expected in (("mean", images.mean(0)), ("standard_deviation", images.std(0))):
                found = file["train"][name]
                self.assertEqual(found.dtype, np.float32)
                np.testing.assert_allclose(found[:], expected, rtol=1e-6)

    def test_the_content_hash_can_be_computed_by_anybody(self):
        self.small_set()
        self.pack("--gzip", "3")
        with h5py.File(self.out) as file:
            text = "mnist-dist dataset content 1\nheight 9 width 7 channels 1\n"
            text += f"classes {sha256(b''.join(c + bytes(1) for c in file['classes'])).hexdigest()}\n"
            for group, name in SPLITS.items():
                images, labels = file[group]["images"][:], file[group]["labels"][:]
                text += f"{name} rows {len(labels)} images {sha256(images.tobytes()).hexdigest()} "
                text += f"labels {sha256(labels.astype('<i4').tobytes()).hexdigest()}\n"
            self.assertEqual(file.attrs["content_sha256"].decode(), sha256(text.encode()).hexdigest())

    def check_against_pillow(self, total=None):
        """Every row is the PNG that its name says, pixel for pixel, with the label of its folder."""
        rows = 0
        with h5py.File(self.out) as file:
            classes = list(file["classes"].asstr())
            for group in SPLITS:
                images, labels = file[group]["images"][:], file[group]["labels"][:]
                for image, label, name in zip(images, labels, file[group]["names"].asstr()):
                    with Image.open(self.root / name) as png:
                        self.assertTrue(np.array_equal(image, np.asarray(png)), name)
                    self.assertEqual(classes[label], Path(name).parent.name)
                    rows += 1
                self.assertEqual(len(set(file[group]["names"].asstr())), len(labels))
        if total is not None:
            self.assertEqual(rows, total)

    def test_rows_equal_the_images_and_are_shuffled(self):
        self.assertEqual(run("synth", self.root, "--training", "1200", "--testing", "300").returncode, 0)
        self.pack()
        self.check_against_pillow(1500)
        with h5py.File(self.out) as file:
            counts = np.bincount(file["train/labels"][:600], minlength=10)
            self.assertTrue((counts > 30).all(), counts)  # 60 on average

    @unittest.skipUnless(os.environ.get("MNIST_DIST_PNG"), "MNIST_DIST_PNG does not name the unpacked MNIST")
    def test_the_real_mnist_is_what_pillow_reads(self):
        self.root = Path(os.environ["MNIST_DIST_PNG"])
        self.pack()
        self.check_against_pillow(70000)
        self.assertEqual(run("verify", self.out).returncode, 0)

    def test_same_bytes_for_any_jobs_and_same_content_for_any_compression(self):
        self.assertEqual(run("synth", self.root, "--training", "2000", "--testing", "100").returncode, 0)
        for name, options in {"1": ("--jobs", "1"), "3": ("--jobs", "3"), "gzip": ("--gzip", "6")}.items():
            self.pack(*options, out=self.folder / name)
        self.assertTrue(filecmp.cmp(self.folder / "1", self.folder / "3", shallow=False))
        self.assertLess((self.folder / "gzip").stat().st_size, (self.folder / "1").stat().st_size / 2)
        with h5py.File(self.folder / "1") as plain, h5py.File(self.folder / "gzip") as compressed:
            self.assertEqual(plain.attrs["content_sha256"], compressed.attrs["content_sha256"])

    def test_every_mode_that_pillow_writes_grey_and_colour(self):
        colour, alpha = noise(8, 8, 3, seed=1), noise(8, 8, seed=2)
        palette = Image.fromarray(colour).quantize(200)
        images = {
            "1": Image.fromarray(alpha > 100),
            "L": Image.fromarray(alpha),
            "RGB": Image.fromarray(colour),
            "RGBA": Image.fromarray(np.dstack([colour, alpha])),
            "LA": Image.merge("LA", [Image.fromarray(colour[..., 0]), Image.fromarray(alpha)]),
            "P": palette,
        }
        (self.root / "a").mkdir(parents=True)
        expected = {}
        for name, image in images.items():
            image.save(self.root / "a" / f"{name}.png")
            full = np.asarray(image.convert("RGBA")).astype(np.int64)
            expected[name] = ((full[..., :3] * full[..., 3:] * 2 + 255) // 510).astype(np.uint8)
        deep = np.arange(64, dtype=np.uint16).reshape(8, 8) * 1040
        Image.fromarray(deep).save(self.root / "a" / "I16.png")
        expected["I16"] = np.repeat(np.rint(deep / 257).astype(np.uint8)[..., None], 3, axis=2)
        for option, convert in (("--color", lambda pixels: pixels), (None, grey)):
            self.pack(*[option] if option else [])
            with h5py.File(self.out) as file:
                names = list(file["train/names"].asstr())
                self.assertEqual(len(names), len(expected))
                for image, name in zip(file["train/images"], names):
                    found = convert(expected[Path(name).stem])
                    self.assertTrue(np.array_equal(image, found), f"{name} {option}")
                self.assertEqual(file["train/mean"].shape, (8, 8, 3) if option else (8, 8))

    def test_size(self):
        self.small_set(size=(20, 40))
        for options, shape in (((), (20, 40)), (("--size", "12x6"), (6, 12)), (("--size", "40x20"), (20, 40))):
            self.pack(*options)
            with h5py.File(self.out) as file:
                self.assertEqual(file["train/images"].shape[1:], shape)
        self.check_against_pillow()
        self.save("training/0/other.png", noise(40, 20))
        result = self.pack()
        self.assertIn("the images differ in size: all resampled to 28x28", result.stdout)
        with h5py.File(self.out) as file:
            self.assertEqual(file["train/images"].shape, (11, 28, 28))

    def test_reducing_stays_close_to_what_pillow_makes_of_it(self):
        x, y = np.meshgrid(np.arange(112), np.arange(112))
        smooth = (127 + 100 * np.sin(x / 17) * np.cos(y / 23)).astype(np.uint8)
        self.save("a/1.png", smooth)
        self.pack("--size", "28x28")
        with h5py.File(self.out) as file:
            found = file["train/images"][0].astype(int)
        expected = np.asarray(Image.fromarray(smooth).resize((28, 28), Image.BICUBIC)).astype(int)
        self.assertLessEqual(np.abs(found - expected).max(), 4)

    def test_class_folders_alone_are_training_data(self):
        for name in ("cat", "dog", "Zebra", "été"):
            self.save(f"{name}/1.PNG", noise(5, 5))
        self.pack()
        with h5py.File(self.out) as file:
            self.assertEqual(list(file["classes"].asstr()), ["Zebra", "cat", "dog", "été"])
            self.assertEqual(file["test/images"].shape, (0, 5, 5))
            self.assertEqual(sorted(file["train/names"].asstr()),
                             ["Zebra/1.PNG", "cat/1.PNG", "dog/1.PNG", "été/1.PNG"])
        self.assertEqual(run("verify", self.out).returncode, 0)

    def test_idx_files(self):
        self.root.mkdir()
        images, labels = noise(30, 35, seed=3).reshape(30, 7, 5), np.arange(30, dtype=np.uint8) % 10
        for prefix, ending, opener in (("train", "", open), ("t10k", ".gz", gzip.open)):
            with opener(self.root / f"{prefix}-images-idx3-ubyte{ending}", "wb") as file:
                file.write(struct.pack(">IIII", 0x803, 30, 7, 5) + images.tobytes())
            with opener(self.root / f"{prefix}-labels-idx1-ubyte{ending}", "wb") as file:
                file.write(struct.pack(">II", 0x801, 30) + labels.tobytes())
        self.pack()
        with h5py.File(self.out) as file:
            self.assertEqual(list(file["classes"].asstr()), list("0123456789"))
            for group, prefix in (("train", "train"), ("test", "t10k")):
                rows = zip(file[group]["images"], file[group]["labels"], file[group]["names"].asstr())
                for image, label, name in rows:
                    row = int(name.removeprefix(f"{prefix}-images-idx3-ubyte/"))
                    self.assertTrue(np.array_equal(image, images[row]))
                    self.assertEqual(label, labels[row])
        with open(self.root / "train-labels-idx1-ubyte", "ab") as file:
            file.write(b"x")
        self.out.unlink()
        self.assert_pack_fails(3, self.root / "train-labels-idx1-ubyte", "more than its header says")

    def test_memory_is_bounded(self):
        """Packing 40,000 images takes hardly more memory than packing 400."""
        peaks = []
        self.save("a/0.png", noise(28, 28))
        for count in (400, 40000):
            for i in range(1, count):
                path = self.root / "a" / f"{i}.png"
                if not path.exists():
                    os.link(self.root / "a" / "0.png", path)
            code, peak = exit_code_and_peak_memory("pack", self.root, self.out, "--jobs", "2")
            self.assertEqual(code, 0)
            peaks.append(peak)
        self.assertLess(peaks[1] - peaks[0], 20, peaks)


if __name__ == "__main__":
    runner.main()
