"""The architecture's checks can fail: each one is run on small trees that keep and that break its rule."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent

GOOD_TREE = {
    "CMakeLists.txt": "",
    "CMakePresets.json": "{}",
    "LICENSE": "",
    "README.md": "",
    ".clang-format": "BasedOnStyle: Google\n",
    ".ci/run": "#!/bin/sh\necho run\n",
    "include/mnist_dist/core/error.hpp": "#pragma once\n#include <string>\nusing Text = std::string;\n",
    "include/mnist_dist/h5/file.hpp": '#pragma once\n#include "mnist_dist/core/error.hpp"\n',
    "include/mnist_dist/data/rows.hpp": '#pragma once\n#include "mnist_dist/h5/file.hpp"\n',
    "include/mnist_dist/train/trainer.hpp": '#pragma once\n#include "mnist_dist/data/rows.hpp"\n',
    "src/h5/file.cpp": '#include "mnist_dist/h5/file.hpp"\n\n#include <hdf5.h>\n\n#include "detail.hpp"\n',
    "src/h5/detail.hpp": "#pragma once\n",
    "src/main.cpp": '#include "mnist_dist/train/trainer.hpp"\n',
    "tools/h5pack/main.cpp": '#include <CLI/CLI.hpp>\n\n#include "mnist_dist/data/rows.hpp"\n',
    "tools/test": "#!/usr/bin/env bash\necho test\n",
    "tools/bench/run": "#!/usr/bin/env bash\necho run\n",
    "tools/notes": "not a script: if then $(\n",
    "jobs/train.sbatch": "#!/usr/bin/env bash\necho train\n",
    "tests/unit/main.cpp": "int main() {}\n",
}


class Checks(unittest.TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp(prefix="mnist-dist-checks-"))
        self.addCleanup(shutil.rmtree, self.root)
        for name, text in GOOD_TREE.items():
            self.write(name, text)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run_check(self, name):
        return subprocess.run([sys.executable, str(HERE / f"check_{name}.py"), str(self.root)], capture_output=True,
                              text=True, check=False)

    def expect_good(self, name):
        run = self.run_check(name)
        if run.returncode == 77:
            self.skipTest(run.stdout.strip())
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def expect_problem(self, name, *words):
        """The check fails with a message of its own, which has all the words."""
        run = self.run_check(name)
        self.assertEqual(run.returncode, 1, run.stdout + run.stderr)
        self.assertEqual(run.stderr, "")
        for word in words:
            self.assertIn(word, run.stdout)

    def test_layers(self):
        self.expect_good("layers")

    def test_layers_upwards(self):
        self.write("include/mnist_dist/core/error.hpp", '#include "mnist_dist/h5/file.hpp"\n')
        self.expect_problem("layers", "core/error.hpp:1", "layer h5 is not below it")

    def test_layers_sideways(self):
        self.write("include/mnist_dist/comm/ring.hpp", "#pragma once\n")
        self.write("src/nn/network.cpp", "#include <mnist_dist/comm/ring.hpp>\n")
        self.expect_problem("layers", "src/nn/network.cpp:1", "layer comm is not below it")

    def test_layers_of_the_converter(self):
        self.write("tools/h5pack/main.cpp", '#  include "mnist_dist/train/trainer.hpp"\n')
        self.expect_problem("layers", "tools/h5pack/main.cpp:1", "layer train is not below it")

    def test_layers_by_a_detour(self):
        self.write("src/h5/file.cpp", '#include "../train/trainer.hpp"\n')
        self.expect_problem("layers", "src/h5/file.cpp:1", "neither a public header nor")

    def test_layers_unknown(self):
        self.write("src/helpers/text.cpp", "")
        self.write("src/stray.cpp", "")
        self.expect_problem("layers", "src/helpers/text.cpp: belongs to no layer", "src/stray.cpp: belongs to no layer")

    def test_layers_of_an_empty_tree(self):
        for folder in ("include", "src", "tools"):
            shutil.rmtree(self.root / folder)
        self.expect_problem("layers", "no sources")

    def test_doors(self):
        self.expect_good("doors")

    def test_doors_elsewhere(self):
        for header in ("hdf5.h", "H5Fpublic.h", "mpi.h", "cblas.h", "spng.h", "jpeglib.h", "libexif/exif-data.h",
                       "stb_image_resize.h", "CLI/App.hpp"):
            with self.subTest(header=header):
                self.write("src/data/rows.cpp", f"#include <{header}>\n")
                self.expect_problem("doors", f"src/data/rows.cpp:1: includes {header}")

    def test_doors_in_a_public_header(self):
        for header in ("hdf5.h", "CLI/CLI.hpp", "fmt/format.h", "nlohmann/json.hpp"):
            with self.subTest(header=header):
                self.write("include/mnist_dist/h5/file.hpp", f"#pragma once\n\n#include <{header}>\n")
                self.expect_problem("doors", f"file.hpp:3: includes {header}", "no public header may")

    def test_doors_in_tests(self):
        self.write("tests/mpi/main.cpp", "#include <mpi.h>\n")
        self.expect_problem("doors", "tests/mpi/main.cpp:1")

    def test_float_comparisons(self):
        """No false alarms: values that are made, or compared by the helper."""
        self.write("tests/unit/float_comparison.hpp", "double d = std::fabs(a - b) < 1;\n")
        self.write("tests/unit/good.cpp", """// std::fabs(a - b) < 1, doctest::Approx
TEST_CASE("") {
  const auto size = static_cast<double>(std::abs(x) + 1);
  for (std::size_t i = 0; i < size; ++i) moment[i] = std::fabs(first[i]);
  norm[i] = std::max(0.999 * norm[i], std::fabs(gradient) + 1e-8);
  largest = larger_error(largest, difference(a, b));
  CHECK(largest < 1e-6);
}
""")
        self.expect_good("float_comparisons")

    def test_float_comparisons_past_the_helper(self):
        for line, word in (("CHECK(a == doctest::Approx(b).epsilon(1e-6));", "doctest::Approx"),
                           ("CHECK(a != Approx(b));", "doctest::Approx"),
                           ("CHECK(std::fabs(a - b) < 1e-6);", "difference()"),
                           ("CHECK(1e-6 >\n        fabs(a - b));", "difference()"),
                           ("return std::abs(left - right) <= 1e-12;", "difference()"),
                           ("for (int i = 0; i < 9; ++i) worst = std::max(worst, std::fabs(a[i] - b[i]));",
                            "larger_error()"),
                           ("worst[i] = std::max(worst[i], difference(a, b));", "larger_error()")):
            for path in ("tests/unit/test_one.cpp", "tests/mpi/test_two.cpp"):
                with self.subTest(line=line, path=path):
                    self.write(path, f"int one;\n{line}\n")
                    self.expect_problem("float_comparisons", f"{path}:2: ", word)
                    (self.root / path).unlink()

    def test_headers(self):
        self.expect_good("headers")

    def test_headers_without_a_guard(self):
        for name in ("include/mnist_dist/core/error.hpp", "src/h5/detail.hpp"):
            with self.subTest(header=name):
                good = (self.root / name).read_text(encoding="utf-8")
                self.write(name, "struct Twice {};\n// #pragma once\n")
                self.expect_problem("headers", f"{name}: no #pragma once")
                self.write(name, good)

    def test_headers_after_others(self):
        self.write("src/h5/file.cpp", '#include <hdf5.h>\n\n#include "mnist_dist/h5/file.hpp"\n')
        self.expect_problem("headers", "src/h5/file.cpp: does not include mnist_dist/h5/file.hpp before all others")

    def test_format(self):
        self.expect_good("format")

    def test_format_broken(self):
        self.expect_good("format")
        self.write("src/h5/detail.hpp", "#pragma once\nint   x ;\n")
        self.expect_problem("format", "src/h5/detail.hpp: not as clang-format leaves it")

    def test_pages(self):
        """Links to a file, a folder, headings here and elsewhere; rows of tables and output may be long."""
        self.write("README.md", "# Top\n\n[a\nb](tools/README.md#h5pack-bench-and-more), [c](#top), [d](tools/bench)\n"
                   "[e](https://example.org/nothing), [f](tools/README.md#twice-1)\n")
        self.write("tools/README.md", "## `h5pack`, bench, and more\n\n## Twice\n\n## Twice\n\n[up](../README.md)\n"
                   f"| {'a' * 200} |\n\n```\n{'b' * 200} [no](link)\n```\n")
        self.expect_good("pages")

    def test_pages_with_a_dead_link(self):
        self.write("tools/README.md", "# Tools\n\n```\n# comment\n```\n")
        for link, problem in (("tools/none.md", "tools/none.md is not there"),
                              ("../LICENSE", "../LICENSE is not there"),
                              ("#tools", "README.md has no heading 'tools'"),
                              ("tools/README.md#top", "tools/README.md has no heading 'top'"),
                              ("tools/README.md#comment", "tools/README.md has no heading 'comment'"),
                              ("tools/README.md#tools-1", "tools/README.md has no heading 'tools-1'"),
                              ("LICENSE#mit", "LICENSE has no heading 'mit'")):
            with self.subTest(link=link):
                self.write("README.md", f"# Top\n\n```\nblock\n```\n[text]({link})\n")
                self.expect_problem("pages", f"README.md:6: {link}: {problem}")

    def test_pages_too_long(self):
        self.write("README.md", "word\n" * 2000)
        self.expect_problem("pages", "README.md: 10000 bytes")

    def test_pages_with_a_long_line(self):
        self.write("jobs/README.md", f"\n{'a' * 121}\n{'b' * 120}\n")
        self.expect_problem("pages", "jobs/README.md:2: 121 characters", "1 problem")

    def test_pages_missing(self):
        (self.root / "README.md").unlink()
        self.expect_problem("pages", "README.md is not there")

    def test_shell(self):
        self.expect_good("shell")

    def test_shell_broken(self):
        self.expect_good("shell")
        for script in ("tools/test", "tools/bench/run", "jobs/train.sbatch", ".ci/run"):
            with self.subTest(script=script):
                good = (self.root / script).read_text(encoding="utf-8")
                self.write(script, "#!/usr/bin/env bash\nrm -rf $1/\n")
                self.expect_problem("shell", f"{script}:2")
                self.write(script, good)

    def test_top_level(self):
        self.expect_good("top_level")

    def test_top_level_strange(self):
        self.write("notes.txt", "")
        self.write("vendor/library.c", "")
        self.expect_problem("top_level", "notes.txt: not agreed", "vendor: not agreed")

    def test_top_level_missing(self):
        shutil.rmtree(self.root / "jobs")
        self.expect_problem("top_level", "jobs: missing")


class HeadersAlone(unittest.TestCase):
    """headers_alone.cmake, in a project that has nothing else."""

    def build(self, header, source=None):
        with tempfile.TemporaryDirectory(prefix="mnist-dist-headers-") as folder:
            root = Path(folder)
            (root / "include").mkdir()
            (root / "include" / "first.hpp").write_text("#pragma once\n#include <string>\n", encoding="utf-8")
            (root / "include" / "second.hpp").write_text(header, encoding="utf-8")
            if source is not None:
                (root / "src").mkdir()
                (root / "src" / "second.cpp").write_text(source, encoding="utf-8")
            (root / "CMakeLists.txt").write_text(
                "cmake_minimum_required(VERSION 3.25)\nproject(alone LANGUAGES CXX)\n"
                "add_library(options INTERFACE)\ntarget_include_directories(options INTERFACE include)\n"
                f"include({HERE.as_posix()}/headers_alone.cmake)\n"
                "set(here ${CMAKE_CURRENT_SOURCE_DIR})\n"
                "add_headers_alone(alone ${here}/include ${here}/src options)\n", encoding="utf-8")
            cmake = os.environ.get("CMAKE", "cmake")
            subprocess.run([cmake, "-S", folder, "-B", f"{folder}/build"], check=True, capture_output=True)
            return subprocess.run([cmake, "--build", f"{folder}/build"], capture_output=True, text=True, check=False)

    def test_whole(self):
        run = self.build("#pragma once\n#include <string>\ninline std::string text;\n")
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_leaning_on_another(self):
        run = self.build("#pragma once\ninline std::string text;\n")
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("second.hpp", run.stdout + run.stderr)

    def test_with_a_source(self):
        """It is what this source includes first, which is another check's matter."""
        run = self.build("#pragma once\ninline std::string text;\n", source='#include "second.hpp"\n')
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_without_a_guard(self):
        self.assertNotEqual(self.build("struct Twice {};\n").returncode, 0)


if __name__ == "__main__":
    unittest.main()
