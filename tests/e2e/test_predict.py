"""Attacks what `predict` promises: each image's answer in its order, whatever stands beside it; wrong files named; the
right way round, and centred exactly as image/center_ink.hpp defines it."""

import csv
import io
import json
import os
import shutil
import stat
import subprocess

from program import (BAD_DATA, DONE, FILE_SYSTEM, MNIST_DIST, PATIENCE, USAGE, ProgramTest, Shared, draw_digits,
                     environment, error_lines, h5py, main, numpy, pack, warning_lines)
from h5pack_program import Image, exit_code_and_peak_memory


class Trained:
    """Made once: a model of light digits on black."""

    run = None


def setUpModule():
    Shared.make()
    Trained.run = Shared.train("run", "--epochs", 6, "--hidden", "40,30")


def border(pixels):
    """[n x channels]: first and last row and column, each pixel once."""
    inner = numpy.zeros(pixels.shape[:2], bool)
    inner[1:-1, 1:-1] = True
    return pixels[~inner]


def lower_median(samples):
    return numpy.sort(samples, axis=0)[(len(samples) - 1) // 2]


def background_of(data):
    """What a data set has behind its digits: a level for each channel."""
    with h5py.File(data) as file:
        mean = file["train/mean"][()]
    return lower_median(border(numpy.floor(mean.reshape(*mean.shape[:2], -1) + 0.5).astype(int)))


def overlaps(count, target):
    """[target x count]"""
    i, y = numpy.ogrid[:target, :count]
    return numpy.maximum(0, numpy.minimum((i + 1) * count, (y + 1) * target) - numpy.maximum(i * count, y * target))


def centered(pixels, height, width, background):
    """What image/center_ink.hpp defines, by its text, of u8 [h x w x channels]."""
    pixels = pixels.astype(int)
    field = numpy.zeros((height, width, pixels.shape[2]), int) + background
    ink = pixels - lower_median(border(pixels))
    weight = abs(ink).sum(axis=2)
    if weight.max() == 0:
        return field
    rows, columns = numpy.nonzero(8 * weight >= weight.max())
    ink = ink[rows.min():rows.max() + 1, columns.min():columns.max() + 1]
    bh, bw, _ = ink.shape
    most_rows, most_columns = max(1, (40 * height + 28) // 56), max(1, (40 * width + 28) // 56)
    if most_rows * bw <= most_columns * bh:
        th, tw = most_rows, max(1, (2 * bw * most_rows + bh) // (2 * bh))
    else:
        th, tw = max(1, (2 * bh * most_columns + bw) // (2 * bw)), most_columns
    sums = numpy.einsum("iy,jx,yxc->ijc", overlaps(bh, th), overlaps(bw, tw), ink)
    value = numpy.clip(background + (2 * sums + bh * bw) // (2 * bh * bw), 0, 255)
    mass = abs(value - background).sum(axis=2)
    total = int(mass.sum())
    if total == 0:
        return field
    top = height // 2 - (2 * int((mass.sum(axis=1) * numpy.arange(th)).sum()) + total) // (2 * total)
    left = width // 2 - (2 * int((mass.sum(axis=0) * numpy.arange(tw)).sum()) + total) // (2 * total)
    for i in range(max(0, -top), min(th, height - top)):
        for j in range(max(0, -left), min(tw, width - left)):
            field[top + i, left + j] = value[i, j]
    return field


class PredictTest(ProgramTest):
    def predict(self, *arguments, model=None, code=DONE, data=None):
        """The lines that it prints, and what it says on standard error."""
        result = subprocess.run([MNIST_DIST, "predict", model or Trained.run, *map(str, arguments)], cwd=self.folder,
                                env=environment(), input=data or b"", capture_output=True, timeout=PATIENCE)
        result.stdout, result.stderr = result.stdout.decode(), result.stderr.decode()
        self.assert_exit(result, code)
        return result.stdout.splitlines(), result

    def answers(self, *arguments, **options):
        """By image: all but its name and whether it was inverted."""
        lines, _ = self.predict("--json", *arguments, **options)
        return [{name: value for name, value in json.loads(line).items() if name not in ("image", "inverted")}
                for line in lines]

    def save(self, name, pixels):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        return path

    def digits(self, count):
        """Test images: their paths and pixels."""
        paths = sorted(Shared.digits.glob("testing/*/*.png"))[::300 // count][:count]
        return paths, [numpy.asarray(Image.open(path)) for path in paths]


class Inputs(PredictTest):
    def test_folders(self):
        """In byte order of the paths; what is no image is counted, by its bytes and not by its name."""
        for name in ("b.png", "b/z.png", "b/a/c.png", "b-.png", "B.PNG", "ä.png", "picture", ".hidden.png", ".h/a.png"):
            path = self.folder / "set" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.digits(1)[0][0], path)
        (self.folder / "set" / "text.png").write_text("no image", encoding="utf-8")
        (self.folder / "set" / "b" / "empty.png").touch()
        os.mkfifo(self.folder / "set" / "fifo.png")
        os.mknod(self.folder / "set" / "socket.png", stat.S_IFSOCK | 0o600)
        (self.folder / "set" / "b" / "loop").symlink_to("..")
        lines, result = self.predict("set/")
        self.assertEqual([line.split("  ")[0] for line in lines],
                         [f"set/{name}" for name in ("B.PNG", "b-.png", "b.png", "b/a/c.png", "b/z.png", "picture",
                                                     "ä.png")])
        self.assertEqual(len(warning_lines(result)), 1, result.stderr)
        self.assertIn("set/: 4 files passed over: neither PNG nor JPEG", result.stderr)

    def test_folder_without_images(self):
        (self.folder / "nothing").mkdir()
        (self.folder / "nothing" / "notes").touch()
        lines, result = self.predict("nothing", self.digits(1)[0][0], code=BAD_DATA)
        self.assertEqual(len(lines), 1)
        self.assertIn("nothing holds no PNG or JPEG images (1 other file)", result.stderr)
        shutil.copy(self.digits(1)[0][0], self.folder / "nothing" / "image.png")
        _, result = self.predict("nothing")
        self.assertIn("nothing: 1 file passed over: neither PNG nor JPEG", result.stderr)

    def test_standard_input(self):
        path = self.digits(1)[0][0]
        lines, _ = self.predict("-", data=path.read_bytes())
        self.assertEqual(lines[0].split("  "), ["-", *self.predict(path)[0][0].split("  ")[1:]])
        large = self.save("large.png", numpy.random.default_rng(0).integers(0, 256, (500, 500), numpy.uint8))
        self.assertEqual(self.answers("-", data=large.read_bytes()), self.answers(large))
        _, result = self.predict("-", data=b"no image", code=BAD_DATA)
        self.assertIn("standard input: neither a PNG nor a JPEG file", result.stderr)

    def test_lists(self):
        paths, _ = self.digits(3)
        (self.folder / "folder").mkdir()
        shutil.copy(paths[2], self.folder / "folder" / "x.png")
        text = f"{paths[1]}\r\n\n{paths[0]}\nfolder"
        (self.folder / "list").write_bytes(text.encode())
        names = [str(paths[2]), str(paths[1]), str(paths[0]), "folder/x.png"]
        for lines, _ in (self.predict(paths[2], "--list", "list"),
                         self.predict(paths[2], "--list", "-", data=text.encode())):
            self.assertEqual([line.split("  ")[0] for line in lines], names)
        for missing, reason in (("nothing", "No such file or directory"), (self.folder, "Is a directory")):
            lines, result = self.predict(paths[0], "--list", missing, code=FILE_SYSTEM)
            self.assertEqual((len(lines), len(error_lines(result))), (1, 1), result.stderr)
            self.assertIn(f"cannot read the list {missing}: {reason}\n", result.stderr)

    def test_usage(self):
        for arguments, mention in (((), "IMAGE"), (("-", "-"), "standard input"), (("-", "--list", "-"), "once"),
                                   (("x.png", "--top", "0"), "--top"), (("x.png", "--csv", "--json"), "--csv"),
                                   (("x.png", "--invert", "perhaps"), "--invert")):
            _, result = self.predict(*arguments, code=USAGE)
            self.assertEqual(len(error_lines(result)), 1)
            self.assertIn(mention, result.stderr)

    def test_wrong_files_are_named_and_passed_over(self):
        paths, _ = self.digits(3)
        (self.folder / "half.png").write_bytes(paths[0].read_bytes()[:60])
        lines, result = self.predict(paths[0], "half.png", paths[1], "nothing.png", paths[2], code=BAD_DATA)
        self.assertEqual([line.split("  ")[0] for line in lines], [str(path) for path in paths])
        self.assertEqual([line.split(": ")[2] for line in error_lines(result)],
                         ["half.png", "cannot read nothing.png"])
        lines, _ = self.predict("nothing.png", "half.png", paths[0], code=BAD_DATA)
        self.assertEqual(len(lines), 1)
        lines, _ = self.predict("nothing.png", paths[0], code=FILE_SYSTEM)
        self.assertEqual(len(lines), 1)
        (self.folder / "folder").mkdir()
        for name in ("half.png", "good.png"):
            shutil.copy(self.folder / "half.png" if name == "half.png" else paths[0], self.folder / "folder" / name)
        lines, result = self.predict("folder", code=BAD_DATA)
        self.assertEqual(len(lines), 1)
        self.assertIn("folder/half.png: truncated", result.stderr)

    def test_answers_do_not_depend_on_the_images_beside_them(self):
        """More than two batches."""
        folder = draw_digits(Shared.folder / "many", 10, 600) / "testing"
        paths = sorted(folder.rglob("*.png"), key=os.fsencode)
        lines, _ = self.predict("--json", folder)
        self.assertEqual([json.loads(line)["image"] for line in lines], [str(path) for path in paths])
        alone, _ = self.predict("--json", paths[0])
        self.assertEqual(alone, lines[:1])
        backwards, _ = self.predict("--json", *reversed(paths))
        self.assertEqual(backwards, lines[::-1])

    def test_memory_is_bounded(self):
        """400 MB of pixels, as decoded, take little more than the largest image and a batch of rows."""
        pixels = numpy.zeros((500, 500), numpy.uint8)
        pixels[100:400, 200:300] = 255
        image = self.save("one/0.png", pixels)
        (self.folder / "many").mkdir()
        for i in range(400):
            (self.folder / "many" / f"{i}.png").symlink_to(image)
        memory = [exit_code_and_peak_memory("predict", Trained.run, self.folder / name, program=MNIST_DIST)
                  for name in ("one", "many")]
        self.assertEqual([code for code, _ in memory], [DONE, DONE])
        self.assertLess(memory[1][1] - memory[0][1], 32)


class Output(PredictTest):
    def test_top(self):
        path = self.digits(1)[0][0]
        every = json.loads(self.predict("--json", path)[0][0])["probabilities"]
        self.assertEqual(list(every), sorted(every))
        order = sorted(every, key=lambda name: -every[name])
        self.assertEqual(self.predict("--top", 3, path)[0][0],
                         "  ".join([str(path), *(f"{name}  {every[name]:.4f}" for name in order[:3])]))
        shown = json.loads(self.predict("--json", "--top", 2, path)[0][0])
        self.assertEqual(list(shown["probabilities"].items()), [(name, every[name]) for name in order[:2]])
        self.assertEqual((shown["label"], shown["probability"]), (order[0], every[order[0]]))
        self.assertEqual(self.predict("--top", 99, path)[0], self.predict("--top", 10, path)[0])

    def test_csv(self):
        path = self.digits(1)[0][0]
        odd = 'a, "b"\nc.png'
        shutil.copy(path, self.folder / odd)
        every = json.loads(self.predict("--json", path)[0][0])["probabilities"]
        order = sorted(every, key=lambda name: -every[name])
        for top, columns in ((None, []), (2, ["label_2", "probability_2"])):
            _, result = self.predict("--csv", *(("--top", top) if top else ()), path, odd)
            header, *rows = csv.reader(io.StringIO(result.stdout, newline=""))
            self.assertEqual(header, ["image", "label", "probability", *columns])
            self.assertEqual([row[0] for row in rows], [str(path), odd])
            for row in rows:
                self.assertEqual(row[1::2], order[:top or 1])
                for name, value in zip(order, row[2::2]):
                    self.assertAlmostEqual(float(value), every[name], delta=1e-7 * every[name])


class Background(PredictTest):
    def assert_one_warning(self, result, *mentions):
        self.assertEqual(len(warning_lines(result)), 1, result.stderr)
        for mention in (*mentions, "--invert no"):
            self.assertIn(mention, warning_lines(result)[0])

    def test_wrong_way_round(self):
        """Black on white, black and transparent, white and transparent: as white ink on what the data has behind."""
        [level] = background_of(Shared.data)
        self.assertIn(level, range(20))
        for i, pixels in enumerate(self.digits(20)[1]):
            zero = numpy.zeros_like(pixels)
            laid = numpy.rint(pixels + level * (255.0 - pixels) / 255).astype(numpy.uint8)
            self.save(f"right/{i:02}.png", laid)
            self.save(f"white/{i:02}.png", 255 - laid)
            self.save(f"black-ink/{i:02}.png", numpy.dstack([zero, pixels]))
            self.save(f"colour-ink/{i:02}.png", numpy.dstack([zero, zero, zero, pixels]))
            self.save(f"white-ink/{i:02}.png", numpy.dstack([255 - zero, pixels]))
        for name, inverted in (("white", True), ("black-ink", True), ("colour-ink", True), ("white-ink", False)):
            self.assertEqual(self.answers(name), self.answers("right"), name)
            lines, result = self.predict("--json", name)
            self.assertEqual({json.loads(line)["inverted"] for line in lines}, {inverted})
            if inverted:
                self.assert_one_warning(result, f"{name}/00.png and 19 more")
                _, result = self.predict(f"{name}/07.png")
                self.assert_one_warning(result, f"{name}/07.png: ")
            else:
                self.assertEqual(result.stderr, "")

    def test_right_way_round_is_said_nothing_of(self):
        _, result = self.predict(Shared.digits / "testing")
        self.assertEqual(result.stderr, "")

    def test_as_told(self):
        path, [pixels] = self.digits(1)
        white = self.save("white.png", 255 - pixels)
        for told, image, same in (("yes", white, True), ("no", path[0], True), ("no", white, False),
                                  ("yes", path[0], False)):
            lines, result = self.predict("--json", "--invert", told, image)
            self.assertEqual(json.loads(lines[0])["probabilities"] == self.answers(path[0])[0]["probabilities"], same)
            self.assertEqual(result.stderr, "")

    def test_data_of_black_on_white(self):
        """The other way round for a model of black digits on white."""
        digits = self.folder / "digits"
        for path in sorted(Shared.digits.rglob("*.png"))[::5]:
            self.save(digits / path.relative_to(Shared.digits), 255 - numpy.asarray(Image.open(path)))
        model = self.train("run", "--epochs", 1, "--hidden", 16, data=pack(digits))
        path, [pixels] = self.digits(1)
        [level] = background_of(self.folder / "digits.h5")
        self.assertIn(level, range(235, 256))
        white = self.save("white.png", 255 - pixels)
        expected = self.answers("--invert", "no", white, model=model)
        self.assertEqual(self.answers(white, model=model), expected)
        self.assertEqual(self.answers(path[0], model=model), expected)
        ink = self.save("ink.png", numpy.dstack([numpy.zeros_like(pixels), pixels]))
        laid = self.save("laid.png", numpy.rint(level * (255.0 - pixels) / 255).astype(numpy.uint8))
        self.assertEqual(self.answers(ink, model=model), self.answers(laid, model=model))
        _, result = self.predict(white, ink, model=model)
        self.assertEqual(result.stderr, "")


class Centered(PredictTest):
    def assert_centered(self, paths, pictures):
        """The answers are those to the fields that the definition gives, as the program reads them from files."""
        background = background_of(Shared.data)
        fields = [self.save(f"fields/{i:03}.png", centered(picture, 28, 28, background)[..., 0].astype(numpy.uint8))
                  for i, picture in enumerate(pictures)]
        self.assertEqual(self.answers("--center", *paths), self.answers("--invert", "no", *fields))

    def test_any_size_and_place(self):
        """A digit in the corner of a large picture: as the digit alone."""
        images = [numpy.where(pixels > 60, pixels, 0).astype(numpy.uint8) for pixels in self.digits(20)[1]]
        paths = [self.save(f"small/{i:02}.png", pixels) for i, pixels in enumerate(images)]
        self.assert_centered(paths, [pixels[..., None] for pixels in images])
        expected = self.answers("--center", *paths)
        for i, pixels in enumerate(images):
            large = numpy.zeros((200, 300), numpy.uint8)
            large[199 - 112:199, 1:113] = numpy.kron(pixels, numpy.ones((4, 4), numpy.uint8))
            self.save(f"large/{i:02}.png", large)
            self.save(f"white/{i:02}.png", 255 - large)
        self.assertEqual(self.answers("--center", "large"), expected)
        self.assertEqual(self.answers("--center", "white"), expected)

    def test_agrees_with_its_definition(self):
        random = numpy.random.default_rng(7)
        pictures = []
        for height, width in random.integers(1, 90, (60, 2)):
            picture = numpy.zeros((height, width), numpy.uint8) + random.integers(0, 60)
            for _ in range(random.integers(0, 6)):  # rectangles of some grey
                y, x = random.integers(0, height), random.integers(0, width)
                picture[y:y + random.integers(1, 40), x:x + random.integers(1, 40)] = random.integers(256)
            pictures.append(picture[..., None])
        paths = [self.save(f"{i:03}.png", picture[..., 0]) for i, picture in enumerate(pictures)]
        wrong = [i for i, line in enumerate(self.predict("--json", *paths)[0]) if json.loads(line)["inverted"]]
        for i in wrong:
            pictures[i] = 255 - pictures[i]
        self.assert_centered(paths, pictures)

    def test_colour(self):
        """A model of colour images: each channel on its own, over the data's coloured background."""
        digits = self.folder / "digits"
        for path in sorted(Shared.digits.rglob("*.png"))[::5]:
            ink = numpy.asarray(Image.open(path)).astype(int)[..., None]
            pixels = 20 + ink * numpy.array([200, 100, 230]) // 255 + numpy.array([0, 10, 20])
            self.save(digits / path.relative_to(Shared.digits), pixels.astype(numpy.uint8))
        data = pack(digits, "--colour")
        model = self.train("run", "--epochs", 1, "--hidden", 16, data=data)
        background = background_of(data)
        self.assertEqual(len(set(background)), 3)
        paths = sorted(digits.rglob("testing/*/*.png"))[:10]
        fields = []
        for i, path in enumerate(paths):
            picture = numpy.asarray(Image.open(path))
            fields.append(self.save(f"fields/{i}.png", centered(picture, 28, 28, background).astype(numpy.uint8)))
        self.assertEqual(self.answers("--center", *paths, model=model), self.answers(*fields, model=model))


if __name__ == "__main__":
    main()
