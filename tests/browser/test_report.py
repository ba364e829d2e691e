"""The report of a real run in a real browser: nothing is asked for, nothing goes wrong, and it says what `evaluate`
says. With SCREENSHOTS=FOLDER, pictures of the pages are left there to be looked at."""

import json
from pathlib import Path

from report_page import SCREENSHOTS, ReportTest, Shared, Trained, setUpModule, write_report
from program import ENDLESS, draw_digits, main, numpy, pack

from PIL import Image

MOST_BYTES = 2_000_000

# A fraction slash, since no folder has the other one.
HOSTILE = {"0": "<\u2044b>\"&<", "1": "<!--<script>", "2": "<img src=x onerror=alert(1)>", "3": "it's ]]> `${1}`"}


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


if __name__ == "__main__":
    main()
