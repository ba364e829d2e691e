"""PNG files of every kind, whole and damaged, on their way into a data set: a short run of campaign/png_corpus.py. What
it compares must be able to fail, too."""

import collections
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import runner

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "campaign"))
try:
    import png_corpus
except ImportError as missing:
    print(f"skipped: {missing} (Debian: python3-h5py, python3-pil)", file=sys.stderr)
    sys.exit(77)


class PngCorpus(unittest.TestCase):
    def run_in_folder(self, function, *arguments):
        with tempfile.TemporaryDirectory(prefix="mnist-dist-test-") as name:
            return function(*arguments, Path(name))

    def test_campaign(self):
        kinds = 2 * len(png_corpus.KINDS)  # interlaced or not
        tally = self.run_in_folder(png_corpus.campaign, kinds * len(png_corpus.SIZES), 7)
        self.assertEqual(png_corpus.wrong(tally), [])
        self.assertEqual(tally["whole files with equal pixels"], kinds * len(png_corpus.SIZES))
        self.assertGreater(tally["damaged files refused in one line"], 20 * kinds)

    def test_a_wrong_pixel_is_noticed(self):
        """Where another rule is expected, nearly all files are wrong."""
        def check(folder):
            tally = collections.Counter()
            with mock.patch.object(png_corpus, "as_grey", lambda pixels: 255 - pixels[:, :, 0]):
                png_corpus.check_whole(folder / "whole", (7, 9), 30, tally)
            return tally
        self.assertGreater(len(png_corpus.wrong(self.run_in_folder(check))), 25)

    def test_damage_that_passes_is_noticed(self):
        def check(folder):
            tally = collections.Counter()
            with mock.patch.object(png_corpus, "damages", lambda png: [("nothing", png.bytes(), False)]):
                png_corpus.check_damaged(folder / "damaged", 5, tally)
            return tally
        self.assertTrue(png_corpus.wrong(self.run_in_folder(check)))


if __name__ == "__main__":
    runner.main()
