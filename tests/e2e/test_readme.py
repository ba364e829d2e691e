"""The pages show what the programs print: the front page's output, the tour, the Python excerpt and `bench` are made
anew, by the code of tools/readme-figures, and compared but for what depends on the machine. The front page's figures
are those of the tables."""

import json
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

from program import PATIENCE, ProgramTest, Shared, main

import h5py
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from readme_figures import headlines, pages, tour  # noqa: E402: they lie in tools
from readme_figures.regions import regions, with_regions  # noqa: E402
from readme_figures.workshop import Workshop  # noqa: E402

ACTIVATIONS = ("leaky-relu", "relu", "gelu", "tanh", "sigmoid", "silu")


def setUpModule():
    Shared.make()


class Regions(unittest.TestCase):
    def test_each_is_known_and_there(self):
        pages.check_names(pages.read())

    def test_they_are_found_on_every_page(self):
        self.assertEqual({name for name, text in pages.read().items() if regions({name: text})},
                         {"README.md", "jobs/README.md", "src/README.md", "tools/README.md"})

    def test_an_unknown_or_missing_one_is_seen(self):
        text = pages.read()["tools/README.md"]
        for changed in (text.replace("figures: bench -->", "figures: bank -->"), text + "<!-- figures: tour-train -->",
                        *(f"{text}<!-- figures: {name} -->1<!-- /figures -->" for name in ("more", "bench", "front"))):
            with self.assertRaises(ValueError):
                pages.check_names({**pages.read(), "tools/README.md": changed})

    def test_none_begins_within_a_paragraph_at_a_line(self):
        """There a comment begins a block of HTML, and what follows it would not be Markdown."""
        for line in "\n".join(pages.read().values()).splitlines():
            if line.lstrip().startswith("<!-- ") and "figures" in line:
                self.assertRegex(line, r"^<!-- /?figures\S*( \S+)? -->$")

    def test_a_change_of_a_figure_is_seen_and_a_change_of_times_is_not(self):
        old = regions(pages.read())
        epoch = re.search(r"^( +2 +)(\S+)( +)(\S+)( +)(\S+)( % +)(\S+)( .*)$", old["tour-train"], re.MULTILINE)
        for group, stale in ((2, True), (4, True), (6, True), (8, False)):
            new = epoch[0].replace(epoch[group], "0.12345")
            differences = pages.differences(pages.read(), {"tour-train": old["tour-train"].replace(epoch[0], new)})
            self.assertEqual(bool(differences), stale, new)

    def test_the_front_page_has_the_figures_of_the_tables(self):
        found = regions(pages.read())
        self.assertEqual(pages.differences(pages.read(), headlines.make(found)), [])
        for table, name in (("times", "fast"), ("times", "peers"), ("accuracy", "accurate")):
            with self.subTest(name):
                figure = re.search(r"[\d.]+", found[name])[0]
                changed = headlines.make({**found, table: found[table].replace(figure, "7.7")})
                self.assertNotEqual(pages.differences(pages.read(), {name: changed[name]}), [])


@unittest.skipUnless(os.environ.get("MNIST_DIST_PNG"), "MNIST_DIST_PNG does not give the real MNIST")
class Tour(unittest.TestCase):
    def test_the_pages_show_what_the_programs_print(self):
        text = pages.read()
        with Workshop() as workshop:
            made = tour.make(workshop, regions(text))
        if "fused multiply-add" not in made["tour-evaluate"]:
            self.skipTest("this processor has no fused multiply-add, so its losses are not those of the pages")
        self.assertEqual(set(made), set(tour.NAMES))
        for name, new in made.items():
            with self.subTest(region=name):
                self.assertEqual(pages.differences(text, {name: new}), [])
        for front in (made["front"], regions(text)["front"]):
            hashes = re.findall(r"^([0-9a-f]{64})  \S+model\.h5$", front, re.MULTILINE)
            self.assertEqual(len(hashes), 2)
            self.assertEqual(hashes[0], hashes[1], "the resumed run's model is another one")
        # What is written is what was made, and nothing around it changes.
        written = {name: with_regions(old, made) for name, old in text.items()}
        self.assertEqual(regions(written), {**regions(text), **made})


class Excerpt(ProgramTest):
    def test_it_is_right_for_every_activation(self):
        """Its scores are those from which `predict` makes its probabilities."""
        code = tour.PYTHON.search(regions(pages.read())["excerpt"])[1]
        (self.folder / "mnist.h5").symlink_to(Shared.data)
        with h5py.File(Shared.data) as data:
            names = list(data["test/names"].asstr()[:20])
        for activation in ACTIVATIONS:
            with self.subTest(activation=activation):
                self.train(f"runs/{activation}", "--activation", activation, "--leaky-relu-slope", 0.3, "--epochs", 2,
                           "--hidden", "30,20")
                result = subprocess.run([sys.executable, "-c", code + "np.save('scores.npy', x)"], cwd=self.folder,
                                        capture_output=True, text=True, timeout=PATIENCE, check=False)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                scores = np.exp(np.load(self.folder / "scores.npy")[:len(names)])
                expected = scores / scores.sum(axis=1, keepdims=True)
                np.testing.assert_allclose(self.probabilities(names), expected, rtol=1e-4, atol=1e-6)

    def probabilities(self, names):
        """[images, classes], by `predict` and the newest run."""
        output = self.succeed("predict", "runs/latest", "--json", *[Shared.digits / name for name in names])
        return [list(json.loads(line)["probabilities"].values()) for line in output.splitlines()]


if __name__ == "__main__":
    main()
