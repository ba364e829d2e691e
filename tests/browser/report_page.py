"""What the tests of the report's page share: a run with its report, a browser, and the two kinds of probabilities."""

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
from program import ENDLESS, ProgramTest, Shared, pack

from PIL import Image

runner.SIDE_BY_SIDE = 2  # browsers are large

MNIST = os.environ.get("MNIST_DIST_PNG")
SCREENSHOTS = os.environ.get("SCREENSHOTS")
TOLERANCE = 1e-5


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
