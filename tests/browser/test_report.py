"""The report of a real run in a real browser: nothing is asked for, nothing goes wrong, one can draw, and the page's
probabilities are those of the program. With SCREENSHOTS=FOLDER, pictures of the pages are left there to be looked at."""

import base64
import json
import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "e2e"))

import runner
from browser import Browser
from program import ENDLESS, MNIST_DIST, ProgramTest, Shared, draw_digits, h5py, main, numpy, pack

from PIL import Image

runner.SIDE_BY_SIDE = 2  # browsers are large

MNIST = os.environ.get("MNIST_DIST_PNG")
SCREENSHOTS = os.environ.get("SCREENSHOTS")
MOST_BYTES = 2_000_000
TOLERANCE = 1e-5

# On paper of 280 x 280.
DIGITS = {
    "1": [[(140, 40), (140, 240)]],
    "0": [[(140, 40), (90, 70), (75, 140), (90, 210), (140, 240), (190, 210), (205, 140), (190, 70), (140, 40)]],
    "7": [[(70, 50), (205, 50), (120, 240)]],
}

# A fraction slash, since no folder has the other one.
HOSTILE = {"0": "<\u2044b>\"&<", "1": "<!--<script>", "2": "<img src=x onerror=alert(1)>", "3": "it's ]]> `${1}`"}


class Trained:
    """Made once, with its report."""

    run = None
    page = None


def setUpModule():
    if MNIST:  # the real data instead of drawn ones
        Shared.folder = Path(tempfile.mkdtemp(prefix="mnist-dist-shared-"))
        unittest.addModuleCleanup(shutil.rmtree, Shared.folder)
        (Shared.folder / "digits").symlink_to(MNIST)
        Shared.digits = Shared.folder / "digits"
        Shared.data = pack(Shared.digits)
        Trained.run = Shared.train("runs/trained", "--recipe", "fast", "--epochs", 12)
    else:
        Shared.make()
        Trained.run = Shared.train("runs/trained", "--epochs", 12, *ENDLESS)
    Trained.page = write_report(Shared.folder, Trained.run)


def write_report(folder, *arguments):
    test = ProgramTest()
    test.folder = folder
    try:
        return folder / test.succeed("report", *arguments).split("  ", 1)[1].strip()
    finally:
        test.doCleanups()


class ReportTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.browser = Browser()
        self.addCleanup(self.browser.close)

    def tearDown(self):
        """Whatever a test did, the page was content and asked for nothing."""
        self.assertEqual(self.browser.complaints(), [])
        outside = [address for address in self.browser.asked_for()
                   if not address.startswith(("data:", "blob:")) and not address.endswith(".html")]
        self.assertEqual(outside, [])

    def report_of(self, name, *options, data=None):
        return write_report(self.folder, self.train(name, *options, data=data))

    def page_probabilities(self):
        self.browser.settle()
        return self.browser.run("return Array.from(page.drawing.probabilities);")

    def program_probabilities(self, image, *options, run=None):
        line = self.succeed("predict", run or Trained.run, image, "--json", *options)
        return list(json.loads(line)["probabilities"].values())

    def assert_same_probabilities(self, page, program):
        self.assertEqual(len(page), len(program))
        self.assertLess(max(abs(a - b) for a, b in zip(page, program)), TOLERANCE)

    def drop(self, path):
        self.browser.run("page.drawing.file = null;")
        self.browser.drop(path)
        self.browser.wait_until(lambda: self.browser.run("return page.drawing.file !== null;"), "the file")

    def choose(self, box, checked):
        if self.browser.find(box).is_selected() != checked:
            self.browser.find(box).click()

    def save_canvas(self, selector, name):
        """What a canvas shows, as a grey PNG."""
        address = self.browser.run("return document.querySelector(arguments[0]).toDataURL();", selector)
        path = self.folder / name
        path.write_bytes(base64.b64decode(address.split(",", 1)[1]))
        Image.open(path).convert("L").save(path)
        return path


class Page(ReportTest):
    def test_all_widths_and_colours(self):
        self.assertLess(Trained.page.stat().st_size, MOST_BYTES)
        for width in (1400, 360):
            self.browser.resize(width)
            backgrounds = []
            for scheme in ("light", "dark"):
                self.browser.prefer(scheme)
                self.browser.open(Trained.page)
                self.assertFalse(self.browser.scrolls_sideways(), f"{width} pixels, {scheme}")
                backgrounds.append(self.background())
                if SCREENSHOTS:
                    self.browser.save_picture(Path(SCREENSHOTS) / f"report-{width}-{scheme}.png")
            self.assertNotEqual(*backgrounds)

    def background(self):
        return self.browser.run("return getComputedStyle(document.body).backgroundColor;")

    def curve_colour(self):
        return self.browser.run(
            "return Chart.getChart(document.querySelector('#curves canvas')).data.datasets[0].borderColor;")

    def test_switches_dark_and_back(self):
        self.browser.prefer("light")
        self.browser.open(Trained.page)
        light = (self.background(), self.curve_colour())
        self.browser.find("#theme").click()
        dark = (self.background(), self.curve_colour())
        self.assertNotEqual(light[0], dark[0])
        self.assertNotEqual(light[1], dark[1])
        self.assertEqual(self.browser.find("#theme").get_attribute("aria-pressed"), "true")
        self.browser.find("#theme").click()
        self.assertEqual((self.background(), self.curve_colour()), light)

    def test_paper_is_light(self):
        self.browser.prefer("light")
        self.browser.open(Trained.page)
        light = self.curve_colour()
        self.browser.prefer("dark")
        self.browser.settle()
        dark = self.curve_colour()
        self.browser.run("window.dispatchEvent(new Event('beforeprint'));")
        self.assertEqual(self.curve_colour(), light)
        self.browser.run("window.dispatchEvent(new Event('afterprint'));")
        self.assertEqual(self.curve_colour(), dark)
        self.assertNotEqual(light, dark)

    def test_says_what_evaluate_says(self):
        self.succeed("evaluate", Shared.data, "--model", Trained.run, "--report", self.folder / "report.json")
        report = json.loads((self.folder / "report.json").read_text(encoding="utf-8"))
        exact = report["exact accuracy"]
        low, high = exact["interval 95%"]
        self.browser.open(Trained.page)
        self.assertEqual(self.browser.text("#accuracy-value"), f"{100 * exact['accuracy']:.2f} %")
        self.assertIn(f"between {100 * low:.2f} % and {100 * high:.2f} %", self.browser.text("#interval"))
        for predicted, row in report["matrix"].items():
            for actual, images in row.items():
                cell = self.browser.find(f"[data-cell='{actual},{predicted}']")
                self.assertEqual(cell.get_attribute("textContent"), str(images) if images else "·")
        self.assertEqual(len(self.browser.find_all("#class-table tbody tr")), 10)
        self.assertEqual(len(self.browser.find_all("#curves canvas")), 5)

    def test_every_cell_of_the_matrix_shows_its_images(self):
        self.browser.open(Trained.page)
        data = self.browser.run("return page.report;")
        for actual, predicted, images in data["matrix"]["cells"]:
            self.browser.find(f"[data-cell='{actual},{predicted}']").click()
            self.assertIn(f"{data['classes'][actual]}, taken for", self.browser.text("#cell h3"))
            pictures = self.browser.find_all("#cell .picture")
            self.assertEqual(len(pictures), min(images, 24))
            self.assertGreater(pictures[0].size["width"], 40)

    def test_the_matrix_by_keyboard(self):
        self.browser.open(Trained.page)
        self.browser.run("document.querySelector(\"[data-cell='0,0']\").focus();")
        for key in ("\ue014", "\ue015"):  # right, down
            self.browser.press(key)
        focused = self.browser.run("return document.activeElement.dataset.cell;")
        self.assertEqual(focused, "1,1")
        self.browser.press("\ue007")  # Enter
        self.assertEqual(self.browser.text("#cell h3"), "1, taken for 1")
        self.browser.press("\ue012")  # left
        self.browser.press("\ue012")  # not beyond the row
        self.assertEqual(self.browser.run("return document.activeElement.dataset.cell;"), "1,0")

    def test_everything_has_a_name(self):
        self.browser.open(Trained.page)
        nameless = self.browser.run("""
            return [...document.querySelectorAll("canvas, [role=img], button, input, [role=region], nav, table[role]")]
              .filter((each) => !each.ariaLabel && !each.getAttribute("aria-labelledby") && !each.textContent.trim() &&
                !(each.labels?.length > 0)).map((each) => each.outerHTML.slice(0, 80));""")
        self.assertEqual(nameless, [])

    def test_a_run_of_250_epochs_opens_at_once(self):
        page = self.report_of("long", "--epochs", 250, "--hidden", "8", "--checkpoint-every", 250, *ENDLESS,
                              data=self.small_data())
        times = []
        for _ in range(3):
            self.browser.open(page)
            times.append(self.browser.run("return performance.getEntriesByType('navigation')[0].loadEventEnd;"))
        self.assertEqual(self.browser.run("return page.report.runs[0].curves.loss.length;"), 250)
        print(f"a report of 250 epochs opened in {min(times):.0f} ms (the best of {len(times)})", flush=True)

    def small_data(self):
        return pack(draw_digits(self.folder / "small", 200, 100))

    def test_two_runs(self):
        one = self.train("one", "--epochs", 2, "--hidden", "8", *ENDLESS, data=self.small_data())
        two = self.train("two", "--epochs", 3, "--hidden", "9", *ENDLESS, data=self.folder / "small.h5")
        self.browser.open(write_report(self.folder, one, two, "-o", self.folder / "both.html"))
        self.assertEqual(len(self.browser.find_all("#runs-table tbody tr")), 2)
        rows = {row.text.split(" ")[0]: row.text for row in self.browser.find_all("#differences tbody tr")}
        self.assertEqual(rows["epochs"], "epochs 2 3")
        self.assertEqual(rows["hidden"], "hidden [8] [9]")
        self.assertNotIn("dropout", rows)
        lines = self.browser.run(
            "return Chart.getChart(document.querySelector('#curves canvas')).data.datasets.length;")
        self.assertEqual(lines, 2)
        self.browser.resize(360)
        self.browser.settle()
        self.assertFalse(self.browser.scrolls_sideways())
        if SCREENSHOTS:
            self.browser.save_picture(Path(SCREENSHOTS) / "two-runs-360.png")
            self.browser.resize(1400)
            self.browser.save_picture(Path(SCREENSHOTS) / "two-runs-1400.png")

    def test_hostile_names_are_text(self):
        digits = draw_digits(self.folder / "digits", 200, 100)
        for split in ("training", "testing"):
            for digit, name in HOSTILE.items():
                (digits / split / digit).rename(digits / split / name)
        self.browser.open(self.report_of("it's <b>", "--epochs", 1, *ENDLESS, data=pack(digits)))
        self.assertEqual({cell.text for cell in self.browser.find_all("#class-table tbody th")},
                         {HOSTILE.get(str(digit), str(digit)) for digit in range(10)})
        self.assertIn("it's <b>", self.browser.text("h1"))
        self.assertEqual(self.browser.find_all("main img, main b > b, main script"), [])
        self.assertIn("'\\''", self.browser.text("#commands"))
        self.browser.resize(360)
        self.browser.settle()
        self.assertFalse(self.browser.scrolls_sideways())
        if SCREENSHOTS:
            self.browser.save_picture(Path(SCREENSHOTS) / "hostile-360.png")

    def test_colour_images_are_dropped_not_drawn(self):
        generator = numpy.random.default_rng(3)
        for split, images in (("training", 30), ("testing", 12)):
            for name, tint in (("red", (1, 0.3, 0.3)), ("blue", (0.3, 0.3, 1))):
                folder = self.folder / "colours" / split / name
                folder.mkdir(parents=True)
                for number in range(images):
                    pixels = generator.integers(0, 256, (16, 12, 3)) * tint
                    Image.fromarray(pixels.astype(numpy.uint8)).save(folder / f"{number}.png")
        data = pack(self.folder / "colours", "--colour")
        run = self.train("coloured", "--epochs", 2, "--hidden", "9", "--batch-size", 10, *ENDLESS, data=data)
        self.browser.open(write_report(self.folder, run))
        self.assertNotIn("draws", self.browser.find("#paper").get_attribute("class").split())
        path = self.folder / "colours" / "testing" / "red" / "0.png"
        larger = self.folder / "larger.png"
        Image.open(path).resize((50, 31)).save(larger)
        for file in (path, larger):
            self.drop(file)
            self.assert_same_probabilities(self.page_probabilities(), self.program_probabilities(file, run=run))
        if SCREENSHOTS:
            self.browser.save_picture(Path(SCREENSHOTS) / "colour-780.png")

    def test_a_network_that_does_not_fit_is_left_out_and_says_so(self):
        page = self.report_of("large", "--epochs", 1, "--hidden", "512,512,512", *ENDLESS, data=self.small_data())
        self.assertLess(page.stat().st_size, MOST_BYTES)
        self.browser.open(page)
        self.assertIn("932,362 parameters", self.browser.text("#try-text"))
        self.assertFalse(self.browser.find("#paper").is_displayed())


class Drawing(ReportTest):
    def setUp(self):
        super().setUp()
        self.browser.resize(1400)
        self.browser.open(Trained.page)

    def test_drawn_digits(self):
        for digit, strokes in DIGITS.items():
            self.browser.find("#clear").click()
            self.browser.draw("#paper", strokes)
            page = self.page_probabilities()
            # The network, given what the page says that it sees.
            self.assert_same_probabilities(page, self.program_probabilities(self.save_canvas("#seen", "seen.png")))
            answer = self.browser.text("#answer")
            self.assertEqual(self.browser.text("#bars .best .name"), answer.split(",")[0])
            if MNIST:
                self.assertEqual(answer.split(",")[0], digit)
        if SCREENSHOTS:
            self.browser.save_picture(Path(SCREENSHOTS) / "drawn.png")

    def test_drawn_digits_are_centred_as_predict_does(self):
        if "--center" not in self.succeed("predict", "--help"):
            self.skipTest("this mnist-dist has no predict --center")
        for strokes in DIGITS.values():
            self.browser.find("#clear").click()
            self.browser.draw("#paper", strokes)
            drawn = self.save_canvas("#paper", "drawn.png")
            self.assert_same_probabilities(self.page_probabilities(), self.program_probabilities(drawn, "--center"))

    def test_the_bars_move_while_one_draws(self):
        self.assertEqual(self.browser.text("#answer"), "")
        self.browser.draw("#paper", DIGITS["7"][:1])
        first = self.page_probabilities()
        self.browser.draw("#paper", [[(90, 150), (200, 150)]])
        self.assertNotEqual(self.page_probabilities(), first)
        self.browser.find("#clear").click()
        self.browser.settle()
        self.assertEqual(self.browser.text("#answer"), "")

    def test_dropped_images_of_the_test_set(self):
        with h5py.File(Shared.data) as data:
            images = data["test/images"][:5]
        self.choose("#center", False)
        for pixels in images:
            path = self.folder / "image.png"
            Image.fromarray(pixels).save(path)
            self.drop(path)
            self.assert_same_probabilities(self.page_probabilities(), self.program_probabilities(path))

    def test_dropped_images_of_other_sizes(self):
        self.choose("#center", False)
        with h5py.File(Shared.data) as data:
            digit = Image.fromarray(data["test/images"][0])
        for size in ((57, 91), (20, 20), (28, 100), (300, 11)):
            path = self.folder / "image.png"
            digit.resize(size).convert("RGB" if size[0] == 57 else "L").save(path)
            self.drop(path)
            self.assert_same_probabilities(self.page_probabilities(), self.program_probabilities(path))

    def test_dark_ink_on_transparent_paper_is_turned_round(self):
        ink = numpy.zeros((60, 60, 4), numpy.uint8)
        ink[10:50, 25:35, 3] = 255
        path = self.folder / "ink.png"
        Image.fromarray(ink).save(path)
        self.drop(path)
        self.assertTrue(self.browser.find("#invert").is_selected())
        self.browser.settle()
        seen = numpy.asarray(Image.open(self.save_canvas("#seen", "seen.png")))
        self.assertLess(seen[0, 0], 10)
        self.assertEqual(seen.max(), 255)

    def test_what_is_no_image(self):
        path = self.folder / "text.png"
        path.write_text("no image", encoding="utf-8")
        self.browser.drop(path)
        self.browser.wait_until(lambda: self.browser.text("#try-problem") != "", "the message")
        self.assertIn("text.png", self.browser.text("#try-problem"))

    def test_an_image_by_the_button(self):
        path = self.folder / "image.png"
        Image.new("L", (28, 28)).save(path)
        self.browser.find("#file").send_keys(str(path))
        self.browser.wait_until(lambda: self.browser.run("return page.drawing.file !== null;"), "the file")

    def test_centring_is_what_is_written_of_it(self):
        generator = numpy.random.default_rng(7)
        for channels in (1, 3):
            for _ in range(20):
                height, width = (int(side) for side in generator.integers(1, 40, 2))
                field = [int(side) for side in generator.integers(1, 34, 2)]
                background = [int(level) for level in generator.integers(0, 256, channels)]
                picture = generator.integers(0, 256, (height, width, channels))
                top, left = generator.integers(0, height), generator.integers(0, width)
                picture[:top] = background
                picture[:, :left] = background
                page = self.browser.run(
                    "const [height, width, channels, samples, field, background] = arguments;"
                    "return Array.from(centred({height, width, channels, samples: Uint8ClampedArray.from(samples)},"
                    " {height: field[0], width: field[1]}, background).samples);",
                    height, width, channels, picture.ravel().tolist(), field, background)
                self.assertEqual(page, centred(picture, field, background).ravel().tolist())


def half_up(n, d):
    return (2 * n + d) // (2 * d)


def centred(picture, field, background):
    """As `predict --center`, by its description: integers only."""
    height, width, channels = picture.shape
    on_border = numpy.zeros((height, width), bool)
    on_border[[0, -1]] = on_border[:, [0, -1]] = True
    border = numpy.sort(picture[on_border], axis=0)
    ink = picture - border[(len(border) - 1) // 2]
    weight = abs(ink).sum(axis=2)
    result = numpy.empty((*field, channels), int)
    result[:] = background
    if weight.max() == 0:
        return result
    rows, columns = (8 * weight >= weight.max()).nonzero()
    ink = ink[rows.min():rows.max() + 1, columns.min():columns.max() + 1]
    (bh, bw), (most_h, most_w) = ink.shape[:2], (max(1, half_up(20 * side, 28)) for side in field)
    if most_h * bw <= most_w * bh:
        th, tw = most_h, max(1, half_up(bw * most_h, bh))
    else:
        th, tw = max(1, half_up(bh * most_w, bw)), most_w

    def overlaps(source, target):
        return numpy.array([[max(0, min((i + 1) * source, (y + 1) * target) - max(i * source, y * target))
                             for y in range(source)] for i in range(target)])

    sums = numpy.einsum("iy,jx,yxc->ijc", overlaps(bh, th), overlaps(bw, tw), ink)
    values = numpy.clip(numpy.array(background) + half_up(sums, bh * bw), 0, 255)
    mass = abs(values - numpy.array(background)).sum(axis=2)
    if mass.sum() == 0:
        return result
    r = half_up((mass.sum(axis=1) * range(th)).sum(), mass.sum())
    k = half_up((mass.sum(axis=0) * range(tw)).sum(), mass.sum())
    for i in range(th):
        for j in range(tw):
            y, x = field[0] // 2 - r + i, field[1] // 2 - k + j
            if 0 <= y < field[0] and 0 <= x < field[1]:
                result[y, x] = values[i, j]
    return result


if __name__ == "__main__":
    main()
