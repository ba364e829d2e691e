"""Drawing on the report's page, and dropping files: the page's probabilities are those of the program. SCREENSHOTS as
in test_report.py."""

from pathlib import Path

from centring import centred
from report_page import MNIST, SCREENSHOTS, ReportTest, Shared, Trained, setUpModule
from program import h5py, main, numpy

from PIL import Image

# On paper of 280 x 280.
DIGITS = {
    "1": [[(140, 40), (140, 240)]],
    "0": [[(140, 40), (90, 70), (75, 140), (90, 210), (140, 240), (190, 210), (205, 140), (190, 70), (140, 40)]],
    "7": [[(70, 50), (205, 50), (120, 240)]],
}


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


if __name__ == "__main__":
    main()
