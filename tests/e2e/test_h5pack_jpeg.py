"""What h5pack makes of JPEG images, of a validation folder, of everything that is no image, and of `--test-share`."""

import os

import runner
from h5pack_program import FolderTest, exit_code_and_peak_memory, noise, run

import h5py
import numpy as np
from PIL import Image, ImageOps

ORIENTATION = 274  # the number of Exif's tag


def waves(height, width, channels=1, phase=0):
    """Smooth enough to survive JPEG, and different in every corner."""
    y, x = np.mgrid[:height, :width]
    planes = [127 + 100 * np.sin(x / (7 + c) + phase) * np.cos(y / (9 - c)) for c in range(channels)]
    return np.stack(planes, -1).astype(np.uint8)


class JpegTest(FolderTest):
    def save_jpeg(self, path, image, **options):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, "JPEG", **options)
        return path

    def grey_jpeg(self, path, seed, **options):
        return self.save_jpeg(path, Image.fromarray(waves(24, 32, phase=seed)[..., 0]), **options)

    def packed(self, *options):
        """The training images by name, after packing."""
        self.out.unlink(missing_ok=True)
        self.pack(*options)
        with h5py.File(self.out) as file:
            return dict(zip(file["train/names"].asstr(), file["train/images"][:]))


class Jpeg(JpegTest):
    def test_pixels_are_those_of_pillow(self):
        for mode, channels in (("L", 1), ("RGB", 3), ("CMYK", 4)):
            kinds = {"plain": {}, "progressive": {"progressive": True}, "sharp": {"subsampling": 0}}
            for name, options in kinds.items():
                pixels = waves(24, 32, channels)
                image = Image.frombytes(mode, (32, 24), pixels.tobytes())
                self.save_jpeg(f"a/{mode}-{name}.jpg", image, quality=90, **options)
        for name, found in self.packed("--color").items():
            with self.subTest(name=name), Image.open(self.root / name) as image:
                expected = np.asarray(image.convert("RGB"))
            tolerance = 1 if "CMYK" in name else 0  # Pillow rounds its own way
            self.assertLessEqual(np.abs(found.astype(int) - expected).max(), tolerance)

    def test_orientation(self):
        for orientation in range(1, 9):
            exif = Image.Exif()
            exif[ORIENTATION] = orientation
            self.save_jpeg(f"a/{orientation}.jpg", Image.fromarray(waves(32, 32)[..., 0]), exif=exif)
        found = self.packed()
        self.assertEqual(len({image.tobytes() for image in found.values()}), 8)
        for name, image in found.items():
            with self.subTest(name=name), Image.open(self.root / name) as stored:
                np.testing.assert_array_equal(image, np.asarray(ImageOps.exif_transpose(stored)))

    def test_files_are_told_apart_by_their_bytes(self):
        png, jpeg = self.save("a/a.png", waves(24, 32)[..., 0]), self.grey_jpeg("a/b.jpg", 1)
        for name, content in (("png.JPG", png), ("jpeg.PNG", jpeg), ("jpeg", jpeg), ("jpeg.JPEG", jpeg),
                              ("png.dat", png), ("1.2.jpe", jpeg)):
            (self.root / "a" / name).write_bytes(content.read_bytes())
        found = self.packed()
        self.assertEqual(len(found), 8)
        for name, image in found.items():
            same = "a/a.png" if "png." in name or name == "a/a.png" else "a/b.jpg"
            self.assertTrue(np.array_equal(image, found[same]), name)

    def test_truncated_anywhere(self):
        self.small_set()
        for options in ({}, {"progressive": True}):
            whole = self.save_jpeg("whole.jpg", Image.fromarray(noise(40, 30, 3)), **options).read_bytes()
            bad = self.root / "training" / "1" / "bad.jpg"
            for length in {1, 2, 3, 4, 20, 100, *range(200, len(whole), 211), len(whole) - 2, len(whole) - 1}:
                bad.write_bytes(whole[:length])
                self.assert_error(run("pack", self.root, self.out), 3, f"{bad}: truncated JPEG file")
            cut = 2 * len(whole) // 3
            bad.write_bytes(whole[:cut] + whole[cut + 100:])
            self.assert_error(run("pack", self.root, self.out), 3, f"{bad}: damaged or unknown JPEG file (")
            self.assertEqual(os.listdir(self.out.parent), [])
            result = self.pack("--on-bad-image", "skip")
            self.assertIn("1 bad images skipped", result.stdout)
            self.out.unlink()

    def test_huge(self):
        self.small_set()
        bad = self.grey_jpeg("training/1/bad.jpg", 1, progressive=True)
        content = bytearray(bad.read_bytes())
        size = content.index(b"\xff\xc2") + 5
        content[size:size + 4] = bytes([0x4e, 0x20, 0x4e, 0x20])
        bad.write_bytes(content)
        self.assert_pack_fails(3, f"{bad}: 20000x20000 pixels; the limit is")
        code, peak = exit_code_and_peak_memory("pack", self.root, self.out)
        self.assertEqual(code, 3)
        self.assertLess(peak, 100)

    def test_other_formats_called_images(self):
        self.small_set()
        bad = self.root / "training" / "1" / "bad.jpg"
        Image.fromarray(noise(9, 7)).save(bad, "GIF")
        self.assert_pack_fails(3, f"{bad}: neither a PNG nor a JPEG file (it is a GIF file)")


class Ignored(JpegTest):
    def test_it_is_counted_by_kind_in_one_line(self):
        self.small_set()
        self.assertNotIn("ignored", self.pack().stdout)
        for i in range(3):
            Image.fromarray(noise(9, 7)).save(self.root / "training" / "1" / f"{i}.gif")
            Image.fromarray(noise(9, 7)).save(self.root / "training" / "0" / f"{i}.webp", "WEBP")
        Image.fromarray(noise(9, 7)).save(self.root / "testing" / "1" / "x", "TIFF")
        for name in ("notes.TXT", "training/0/labels.csv", "training/1/labels.csv", "training/1/.hidden",
                     "testing/README"):
            (self.root / name).write_text("text", encoding="utf-8")
        (self.root / "training" / "0" / "deeper").mkdir()
        self.save("extra/0/1.png", noise(9, 7))
        self.save("training/0.png", noise(9, 7))
        (self.root / "training" / "1" / "dangling").symlink_to("nowhere")
        os.mkfifo(self.root / "training" / "1" / "pipe")
        result = self.pack()
        self.assertEqual(result.stderr, "")
        self.assertEqual([line for line in result.stdout.splitlines() if "ignored" in line],
                         ["ignored: 3 GIF files, 3 WebP files, 3 other files, 2 .csv files, 1 .txt file, 1 TIFF file, "
                          "1 folder extra/, 1 nested folder, 1 of other kinds"])

    def test_a_folder_of_nothing_else(self):
        path = self.root / "training" / "0" / "1.gif"
        path.parent.mkdir(parents=True)
        Image.fromarray(noise(9, 7)).save(path)
        result = run("pack", self.root, self.out)
        self.assertEqual(result.returncode, 3)
        self.assertIn("no PNG or JPEG images in folders of classes, but 1 GIF file; wanted", result.stderr)


class Validation(JpegTest):
    def holdout(self, *options):
        """The names of the rows that are held out, after packing."""
        self.pack(*options)
        self.assertEqual(run("verify", self.out).returncode, 0)
        with h5py.File(self.out) as file:
            rows = file["train/holdout"][:]
            self.assertEqual((rows.dtype, sorted(set(rows))), (np.uint64, list(rows)))
            return list(file["train/names"].asstr()[rows]), file.attrs["content_sha256"]

    def test_its_images_are_the_holdout(self):
        for folder in ("validation", "val"):
            self.small_set()
            expected = sorted(f"{folder}/{label}/{i}.png" for label in range(2) for i in range(2))
            for name in expected:
                self.save(name, noise(9, 7, seed=sum(name.encode())))
            self.assertIn("14 training and 2 testing images", self.pack().stdout)
            names, content = self.holdout("--jobs", "1")
            self.assertEqual(sorted(names), expected)
            self.assertEqual(self.holdout("--jobs", "3")[1], content)
            self.assertIn("holdout rows    4 of the training rows", run("info", self.out).stdout)
            os.rename(self.root, self.folder / f"done-{folder}")

    def test_the_content_hash_covers_it(self):
        self.small_set()
        self.save("val/0/x.png", noise(9, 7, seed=50))
        names, content = self.holdout()
        self.assertEqual(names, ["val/0/x.png"])
        with h5py.File(self.out, "r+") as file:
            file["train/holdout"][0] = (file["train/holdout"][0] + 1) % 11
        result = run("verify", self.out)
        self.assertEqual(result.returncode, 3)
        self.assertIn(content.decode(), result.stdout + result.stderr)

    def test_without_training_it_is_a_class_as_any_other(self):
        self.save("val/0.png", noise(9, 7))
        self.save("train-set/0.png", noise(9, 7))
        self.pack()
        with h5py.File(self.out) as file:
            self.assertEqual(list(file["classes"].asstr()), ["train-set", "val"])
            self.assertNotIn("holdout", file["train"])

    def test_contradictions(self):
        self.small_set()
        self.save("val/seven/0.png", noise(9, 7))
        self.assert_pack_fails(3, self.root / "val" / "seven", '"seven" has validation images but no training images')
        self.save("validation/0/0.png", noise(9, 7))
        self.assert_pack_fails(3, "holds both validation/ and val/")


class TestShare(JpegTest):
    def setUp(self):
        super().setUp()
        for name, count in {"a": 50, "b": 10, "c": 2, "d": 1}.items():
            for i in range(count):
                self.grey_jpeg(f"{name}/{i}.jpg", ord(name) + i)

    def test_it_is_stratified_and_always_the_same(self):
        found = set()
        for jobs in (1, 2, 3, 3):
            self.assertIn("50 training and 13 testing images", self.pack("--test-share", "0.2", "--jobs", jobs).stdout)
            with h5py.File(self.out) as file:
                self.assertEqual(list(np.bincount(file["test/labels"], minlength=4)), [10, 2, 1, 0])
                names = [*file["train/names"].asstr(), *file["test/names"].asstr()]
                self.assertEqual(len(set(names)), 63)
                self.assertEqual((file.attrs["test_share"], file.attrs["test_share_seed"]), (0.2, 0))
                found.add((file.attrs["content_sha256"], *sorted(file["test/names"].asstr())))
        self.assertEqual(len(found), 1)
        self.assertEqual(run("verify", self.out).returncode, 0)
        self.assertIn("test share      0.2 of each class", run("info", self.out).stdout)

    def test_without_it_the_way_out_is_named(self):
        self.assertIn("no test images: --test-share 0.2 would", self.pack().stdout)
        with h5py.File(self.out) as file:
            self.assertEqual(len(file["test/labels"]), 0)
            self.assertNotIn("test_share", file.attrs)

    def test_a_class_keeps_an_image_and_validation_all(self):
        for path in list(self.root.iterdir()):
            (self.root / "train").mkdir(exist_ok=True)
            path.rename(self.root / "train" / path.name)
        self.grey_jpeg("val/c/x.jpg", 1)
        self.pack("--test-share", "0.9")
        with h5py.File(self.out) as file:
            self.assertEqual(list(np.bincount(file["test/labels"], minlength=4)), [45, 9, 1, 0])
            self.assertEqual(list(file["train/names"].asstr()[file["train/holdout"][:]]), ["val/c/x.jpg"])

    def test_refused(self):
        for value in ("1", "-0.1", "x", "nan"):
            self.assert_pack_fails(2, "--test-share", options=("--test-share", value))
        for path in list(self.root.iterdir()):
            (self.root / "train").mkdir(exist_ok=True)
            path.rename(self.root / "train" / path.name)
        self.grey_jpeg("test/a/x.jpg", 1)
        self.assert_pack_fails(2, "--test-share 0.2: there are 1 test images already", options=("--test-share", "0.2"))


if __name__ == "__main__":
    runner.main()
