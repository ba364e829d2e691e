"""The runner of these files notices what it has to notice: each small file of tests below is run by it."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import runner

HEAD = "import os, signal, tempfile, unittest, pathlib, runner\n"
TAIL = "\nif __name__ == '__main__':\n    runner.main()\n"

TWO_TESTS = """
class Some(unittest.TestCase):
    def test_good(self):
        self.assertEqual(1, 1)
    def test_other(self):
        OTHER
"""


class Runner(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def run_file(self, other="pass", fixture="", arguments=()):
        """The exit code and the output of a file whose second test does `other`."""
        script = self.folder / "test_small.py"
        script.write_text(HEAD + fixture + TWO_TESTS.replace("OTHER", other) + TAIL, encoding="utf-8")
        result = subprocess.run([sys.executable, script, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, check=False, timeout=runner.HANG, cwd=self.folder,
                                env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)})
        return result.returncode, result.stdout

    def assert_fails(self, *words, **how):
        code, output = self.run_file(**how)
        self.assertEqual(code, 1, output)
        for word in words:
            self.assertIn(word, output)

    def test_all_good(self):
        code, output = self.run_file()
        self.assertEqual((code, output.count("\nok"), "2 tests in" in output), (0, 1, True), output)

    def test_one_by_name(self):
        code, output = self.run_file(other="self.fail('called')", arguments=("Some.test_good",))
        self.assertEqual((code, "1 tests in" in output), (0, True), output)

    def test_failure_and_error(self):
        for other in ("self.fail('too late')", "raise OSError('too late')"):
            self.assert_fails("FAILED", "test_other", "too late", "1 failed", other=other)

    def test_failure_of_a_part(self):
        self.assert_fails("FAILED", "part 7", other="with self.subTest('part 7'): self.fail()")

    def test_broken_fixture(self):
        self.assert_fails("no data", fixture="def setUpModule(): raise OSError('no data')\n")

    def test_killed_test(self):
        self.assert_fails("terminated abruptly", other="os.kill(os.getpid(), signal.SIGKILL)")

    def test_files_left_behind(self):
        self.assert_fails("left behind", "forgotten", other="tempfile.mkdtemp(prefix='forgotten')")

    def test_places_are_taken_away(self):
        """Those of shared memory too, in which a killed rank leaves its segment."""
        name = runner.SEGMENT_FOLDERS[0]
        code, output = self.run_file(other=f"print(os.environ['TMPDIR'], os.environ.get('{name}', ''), flush=True)")
        self.assertEqual(code, 0, output)
        places = next(line for line in output.splitlines() if line.startswith("/")).split()
        for place in places:
            self.assertFalse(os.path.exists(place), place)
            self.assertNotEqual(place, str(runner.SHARED_MEMORY))


if __name__ == "__main__":
    runner.main()
