"""h5pack, run as a user runs it. What it makes is looked at with h5py, Pillow and numpy."""

import filecmp
import gzip
import os
import pty
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import zlib
from hashlib import sha256
from pathlib import Path

try:
    import h5py
    import numpy as np
    from PIL import Image
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

H5PACK = os.environ.get("H5PACK", "h5pack")
SPLITS = {"train": "training", "test": "testing"}


def run(*arguments, **options):
    return subprocess.run([H5PACK, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False,
                          **options)


# A process counts as its own the memory of the one that it was forked from, and this one holds numpy: so a small
# interpreter starts what is measured.
MEASURE = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(status)
print(process.returncode, usage.ru_maxrss)
"""


def exit_code_and_peak_memory(*arguments):
    """Runs h5pack. The memory is in MiB."""
    result = subprocess.run([sys.executable, "-S", "-c", MEASURE, H5PACK, *map(str, arguments)], check=True, text=True,
                            stdout=subprocess.PIPE, timeout=300,
                            env={"ASAN_OPTIONS": "quarantine_size_mb=1", **os.environ})
    code, kibibytes = map(int, result.stdout.split())
    return code, kibibytes / 1024


def grey(colour):
    """ITU-R BT.601 luma of [..., 3], as h5pack documents it."""
    red, green, blue = (colour[..., i].astype(np.int64) for i in range(3))
    return ((299 * red + 587 * green + 114 * blue + 500) // 1000).astype(np.uint8)


def noise(height, width, channels=1, seed=0):
    shape = (height, width) if channels == 1 else (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def big_png(width, height):
    """A PNG of black pixels, one bit each: a small file however large the image."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    line = bytes(1 + (width + 7) // 8)
    compressor = zlib.compressobj(9)
    pixels = b"".join(compressor.compress(line) for _ in range(height)) + compressor.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


class FolderTest(unittest.TestCase):
    """A test with a folder of its own: images in self.root, the output in self.out, which is alone in its folder."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="h5pack-test-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.root = self.folder / "digits"
        self.out = self.folder / "out" / "x.h5"
        self.out.parent.mkdir()

    def save(self, path, pixels):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        return path

    def small_set(self, size=(9, 7)):
        """Two classes, five training images and one testing image each."""
        for label in range(2):
            for i in range(5):
                self.save(f"training/{label}/{i}.png", noise(*size, seed=10 * label + i))
            self.save(f"testing/{label}/0.png", noise(*size, seed=100 + label))

    def slow_set(self):
        """Something that takes seconds to compress."""
        files = [self.save(f"a/{i}.png", noise(512, 512, seed=i)) for i in range(10)]
        for i in range(10, 800):
            (self.root / "a" / f"{i}.png").symlink_to(files[i % 10].name)

    def pack(self, *options, out=None):
        result = run("pack", self.root, out or self.out, *options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def assert_error(self, result, code, *parts):
        lines = result.stderr.splitlines()
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertTrue(lines[0].startswith("h5pack: error: "), lines[0])
        for part in parts:
            self.assertIn(str(part), lines[0])
        self.assertEqual(result.stdout, "")

    def assert_pack_fails(self, code, *parts, options=(), **run_options):
        """It fails as it should; nothing is left behind, and an older file stays as it was."""
        for older in (False, True):
            if older:
                self.out.write_text("older", encoding="utf-8")
            self.assert_error(run("pack", self.root, self.out, *options, **run_options), code, *parts)
            self.assertEqual(os.listdir(self.out.parent), ["x.h5"] if older else [])
        self.assertEqual(self.out.read_text(encoding="utf-8"), "older")
        self.out.unlink()


class Pack(FolderTest):
    def test_h5py_reads_the_documented_names(self):
        self.small_set()
        result = self.pack()
        with h5py.File(self.out) as file:
            self.assertEqual(sorted(file), ["classes", "test", "train"])
            self.assertEqual(sorted(file["train"]), ["images", "labels", "mean", "names", "standard_deviation"])
            self.assertEqual(sorted(file["test"]), ["images", "labels", "names"])
            self.assertEqual(file.attrs["format"], "mnist-dist dataset")
            self.assertIsInstance(file.attrs["format"], str)
            self.assertEqual(file.attrs["format_version"], 1)
            self.assertRegex(file.attrs["content_sha256"], "^[0-9a-f]{64}$")
            self.assertIn(file.attrs["content_sha256"], result.stdout)
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
            self.assertEqual(file.attrs["content_sha256"], sha256(text.encode()).hexdigest())

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
            self.assertEqual(sorted(file["train/names"].asstr()), ["Zebra/1.PNG", "cat/1.PNG", "dog/1.PNG", "été/1.PNG"])
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
                for image, label, name in zip(file[group]["images"], file[group]["labels"], file[group]["names"].asstr()):
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


class PackErrors(FolderTest):
    def test_missing_folder(self):
        self.assert_pack_fails(4, self.root, "No such file or directory")

    def test_file_instead_of_a_folder(self):
        self.root.write_text("x", encoding="utf-8")
        self.assert_pack_fails(4, self.root, "Not a directory")

    def test_no_images(self):
        (self.root / "training" / "0").mkdir(parents=True)
        result = run("pack", self.root, self.out)
        self.assertEqual(result.returncode, 3)
        self.assertIn(f"h5pack: error: {self.root}/training: no PNG images; wanted", result.stderr)
        shutil.rmtree(self.root / "training")
        self.assert_pack_fails(3, f"{self.root}: no PNG images; wanted", "training/CLASS/*.png")

    def test_class_in_testing_only(self):
        self.small_set()
        self.save("testing/seven/0.png", noise(9, 7))
        self.assert_pack_fails(3, self.root / "testing" / "seven", '"seven"', "no training images")

    def bad_image(self, code, *parts):
        """Fails by default, is skipped with a warning when asked."""
        bad = self.root / "training" / "1" / "bad.png"
        self.assert_pack_fails(code, bad, *parts)
        result = self.pack("--on-bad-image", "skip")
        lines = result.stderr.splitlines()
        self.assertEqual(len(lines), 1, lines)
        self.assertTrue(lines[0].startswith("h5pack: warning: skipped "), lines[0])
        self.assertIn(str(bad), lines[0])
        self.assertIn("1 bad images skipped", result.stdout)
        with h5py.File(self.out) as file:
            self.assertEqual(len(file["train/labels"]), 10)
            self.assertNotIn("training/1/bad.png", list(file["train/names"].asstr()))
        self.assertEqual(run("verify", self.out).returncode, 0)

    def test_truncated_png(self):
        self.small_set()
        bad = self.save("training/1/bad.png", noise(9, 7))
        bad.write_bytes(bad.read_bytes()[:-30])
        self.bad_image(3, "truncated")

    def test_damaged_png(self):
        self.small_set()
        bad = self.save("training/1/bad.png", noise(9, 7))
        content = bytearray(bad.read_bytes())
        content[len(content) // 2] ^= 1
        bad.write_bytes(content)
        self.bad_image(3, "damaged PNG")

    def test_text_file_named_png(self):
        self.small_set()
        (self.root / "training" / "1" / "bad.png").write_text("hello\n", encoding="utf-8")
        self.bad_image(3, "not a PNG file", "hello")

    def test_huge_png(self):
        self.small_set()
        (self.root / "training" / "1" / "bad.png").write_bytes(big_png(20000, 20000))
        self.bad_image(3, "20000x20000 pixels", "limit")
        code, peak = exit_code_and_peak_memory("pack", self.root, self.out)
        self.assertEqual(code, 3)
        self.assertLess(peak, 100)

    def test_dangling_link(self):
        self.small_set()
        (self.root / "training" / "1" / "bad.png").symlink_to("nowhere.png")
        self.bad_image(4, "No such file or directory")

    def test_folder_named_png(self):
        self.small_set()
        (self.root / "training" / "1" / "bad.png").mkdir()
        self.bad_image(4, "Is a directory")

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_no_permission(self):
        self.small_set()
        bad = self.save("training/1/bad.png", noise(9, 7))
        bad.chmod(0)
        self.bad_image(4, "Permission denied")

    def test_output_in_a_missing_folder(self):
        self.small_set()
        result = run("pack", self.root, self.folder / "missing" / "x.h5")
        self.assert_error(result, 4, self.folder / "missing" / "x.h5", "No such file or directory")

    def test_output_is_a_folder(self):
        self.small_set()
        self.out.mkdir()
        self.assert_error(run("pack", self.root, self.out), 4, self.out, "Is a directory")

    def test_file_size_limit(self):
        self.small_set(size=(200, 200))
        for limit in (0, 1000, 100000, 400000):
            with self.subTest(limit=limit):
                self.assert_pack_fails(4, self.out, "File too large", preexec_fn=lambda: resource.setrlimit(
                    resource.RLIMIT_FSIZE, (limit, limit)))

    def test_full_disk(self):
        disk = self.out.parent
        mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(disk)], capture_output=True,
                               check=False)
        if mount.returncode != 0:
            self.skipTest("not allowed to mount a small disk")
        self.addCleanup(subprocess.run, ["umount", str(disk)], check=True)
        self.small_set(size=(500, 500))
        self.assert_pack_fails(4, self.out, "No space left on device")
        shutil.rmtree(self.root)
        self.small_set()
        self.pack()

    def interrupted_pack(self, signal_number):
        self.slow_set()
        self.out.write_text("older", encoding="utf-8")
        process = subprocess.Popen([H5PACK, "pack", str(self.root), str(self.out), "--gzip", "9"],
                                   stderr=subprocess.PIPE, text=True)
        time.sleep(1)
        self.assertIsNone(process.poll(), "it ended before it could be interrupted")
        process.send_signal(signal_number)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, -signal_number)
        self.assertEqual(os.listdir(self.out.parent), ["x.h5"])
        self.assertEqual(self.out.read_text(encoding="utf-8"), "older")
        return errors

    def test_killed(self):
        self.interrupted_pack(signal.SIGKILL)

    def test_interrupted(self):
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(signal=signal_number):
                self.assertIn("h5pack: error: interrupted", self.interrupted_pack(signal_number))
                shutil.rmtree(self.root)


class InfoAndVerify(FolderTest):
    def test_info(self):
        self.small_set()
        self.pack()
        result = run("info", self.out)
        self.assertEqual(result.returncode, 0, result.stderr)
        with h5py.File(self.out) as file:
            self.assertIn(file.attrs["content_sha256"], result.stdout)
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

    def test_an_interruption_leaves_nothing(self):
        for exists in (False, True):
            if exists:
                self.root.mkdir()
            process = subprocess.Popen([H5PACK, "synth", str(self.root), "--training", "1000000"],
                                       stderr=subprocess.DEVNULL)
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(timeout=60), -signal.SIGINT)
            self.assertEqual(self.root.exists(), exists)
        self.assertEqual(os.listdir(self.root), [])

    def test_what_a_killed_one_leaves_is_no_data_and_is_taken_away(self):
        process = subprocess.Popen([H5PACK, "synth", str(self.root), "--training", "1000000"],
                                   stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        process.kill()
        process.wait(timeout=60)
        self.assert_error(run("pack", self.root, self.out), 3, "no PNG images")
        self.assertEqual(run("synth", self.root, "--training", "10", "--testing", "10").returncode, 0)
        self.assertEqual(sorted(os.listdir(self.root)), ["testing", "training"])


class CommandLine(FolderTest):
    def test_wrong_usage(self):
        for arguments, part in (((), "--help"), (("nonsense",), "nonsense"), (("--wrong",), "--wrong"), (("pack",), "ROOT"),
                                (("pack", "a"), "OUT.h5"), (("pack", "a", "b", "--wrong"), "--wrong"),
                                (("pack", "a", "b", "--size", "28"), "WIDTHxHEIGHT"),
                                (("pack", "a", "b", "--size", "0x28"), "WIDTHxHEIGHT"),
                                (("pack", "a", "b", "--size", "-1x28"), "WIDTHxHEIGHT"),
                                (("pack", "a", "b", "--size", "99999x99999"), "too large"),
                                (("pack", "a", "b", "--jobs", "0"), "--jobs"),
                                (("pack", "a", "b", "--gzip", "10"), "--gzip"),
                                (("pack", "a", "b", "--on-bad-image", "ignore"), "--on-bad-image"),
                                (("synth", "a", "--training", "-5"), "--training"), (("info",), "FILE")):
            with self.subTest(arguments=arguments):
                self.assert_error(run(*arguments), 2, part, "--help")

    def test_help_and_version(self):
        for arguments, parts in ((("--help",), ("pack", "info", "verify", "synth")),
                                 (("pack", "--help"), ("--size WxH", "pixels", "--gzip 0-9=0", "--on-bad-image fail|skip=fail")),
                                 (("synth", "--help"), ("--training N=10000", "--testing N=2000", "--seed")),
                                 (("info", "--help"), ("FILE",)), (("verify", "--help"), ("FILE",))):
            result = run(*arguments)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            for part in parts:
                self.assertIn(part, result.stdout)
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
    unittest.main()
