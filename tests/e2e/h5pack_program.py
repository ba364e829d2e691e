"""What the tests of h5pack share: running it, and a folder with images for each test."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

try:
    import h5py  # noqa: F401: the tests need it; whoever lacks it is told here
    import numpy as np
    from PIL import Image
except ImportError as missing:
    print(f"skipped: {missing} (Debian: python3-h5py, python3-pil)", file=sys.stderr)
    sys.exit(77)

H5PACK = os.environ.get("H5PACK", "h5pack")
PATIENCE = 900  # seconds: only what hangs waits as long


def run(*arguments, **options):
    return subprocess.run([H5PACK, *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE, check=False,
                          **options)


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {PATIENCE} seconds for {what}")
        time.sleep(0.005)


def writes_in(process, folder):
    """Whether the process has a file in this folder open, be it one without a name."""
    try:
        return any(os.readlink(file).startswith(f"{folder}/") for file in Path(f"/proc/{process.pid}/fd").iterdir())
    except FileNotFoundError:  # a file that has been closed just now
        return False


# A process counts as its own the memory of the one that it was forked from, and this one holds numpy: so a small
# interpreter starts what is measured.
MEASURE = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(status)
print(process.returncode, usage.ru_maxrss)
"""


def exit_code_and_peak_memory(*arguments, program=H5PACK):
    """Runs the program. The memory is in MiB."""
    result = subprocess.run([sys.executable, "-S", "-c", MEASURE, program, *map(str, arguments)], check=True, text=True,
                            stdout=subprocess.PIPE, timeout=PATIENCE,
                            env={"ASAN_OPTIONS": "quarantine_size_mb=1", **os.environ})
    code, kibibytes = map(int, result.stdout.split())
    return code, kibibytes / 1024


def noise(height, width, channels=1, seed=0):
    shape = (height, width) if channels == 1 else (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


class FolderTest(unittest.TestCase):
    """A test with a folder of its own: images in self.root, the output in self.out, which is alone in its folder."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="h5pack-test-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.root = self.folder / "digits"
        self.out = self.folder / "out" / "x.h5"
        self.out.parent.mkdir()

    def save(self, path, pixels):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        return path

    def small_set(self, size=(9, 7)):
        """Two classes, five training images and one testing image each."""
        for label in range(2):
            for i in range(5):
                self.save(f"training/{label}/{i}.png", noise(*size, seed=10 * label + i))
            self.save(f"testing/{label}/0.png", noise(*size, seed=100 + label))

    def slow_set(self):
        """Something that takes seconds to compress."""
        files = [self.save(f"a/{i}.png", noise(512, 512, seed=i)) for i in range(10)]
        for i in range(10, 800):
            (self.root / "a" / f"{i}.png").symlink_to(files[i % 10].name)

    def pack(self, *options, out=None):
        result = run("pack", self.root, out or self.out, *options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def assert_error(self, result, code, *parts):
        lines = result.stderr.splitlines()
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertTrue(lines[0].startswith("h5pack: error: "), lines[0])
        for part in parts:
            self.assertIn(str(part), lines[0])
        self.assertEqual(result.stdout, "")

    def assert_pack_fails(self, code, *parts, options=(), **run_options):
        """It fails as it should; nothing is left behind, and an older file stays as it was."""
        for older in (False, True):
            if older:
                self.out.write_text("older", encoding="utf-8")
            self.assert_error(run("pack", self.root, self.out, *options, **run_options), code, *parts)
            self.assertEqual(os.listdir(self.out.parent), ["x.h5"] if older else [])
        self.assertEqual(self.out.read_text(encoding="utf-8"), "older")
        self.out.unlink()
