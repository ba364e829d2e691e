"""How h5pack pack fails: one clear line, nothing left behind, and an older data set stays as it was."""

import os
import resource
import shutil
import signal
import struct
import subprocess
import unittest
import zlib

import runner
from h5pack_program import (H5PACK, PATIENCE, FolderTest, exit_code_and_peak_memory, noise, run, wait_until,
                            writes_in)

import h5py


def big_png(width, height):
    """A PNG of black pixels, one bit each: a small file however large the image."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    line = bytes(1 + (width + 7) // 8)
    compressor = zlib.compressobj(9)
    pixels = b"".join(compressor.compress(line) for _ in range(height)) + compressor.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


class PackErrors(FolderTest):
    def test_missing_folder(self):
        self.assert_pack_fails(4, self.root, "No such file or directory")

    def test_file_instead_of_a_folder(self):
        self.root.write_text("x", encoding="utf-8")
        self.assert_pack_fails(4, self.root, "Not a directory")

    def test_no_images(self):
        (self.root / "training" / "0").mkdir(parents=True)
        result = run("pack", self.root, self.out)
        self.assertEqual(result.returncode, 3)
        self.assertIn(f"h5pack: error: {self.root}/training: no PNG or JPEG images; wanted", result.stderr)
        shutil.rmtree(self.root / "training")
        self.assert_pack_fails(3, f"{self.root}: no PNG or JPEG images; wanted", "training/CLASS/*")

    def test_class_in_testing_only(self):
        self.small_set()
        self.save("testing/seven/0.png", noise(9, 7))
        self.assert_pack_fails(3, self.root / "testing" / "seven", '"seven"', "no training images")

    def bad_image(self, code, *parts):
        """Fails by default, is skipped with a warning when asked."""
        bad = self.root / "training" / "1" / "bad.png"
        self.assert_pack_fails(code, bad, *parts)
        result = self.pack("--on-bad-image", "skip")
        lines = result.stderr.splitlines()
        self.assertEqual(len(lines), 1, lines)
        self.assertTrue(lines[0].startswith("h5pack: warning: skipped "), lines[0])
        self.assertIn(str(bad), lines[0])
        self.assertIn("1 bad images skipped", result.stdout)
        with h5py.File(self.out) as file:
            self.assertEqual(len(file["train/labels"]), 10)
            self.assertNotIn("training/1/bad.png", list(file["train/names"].asstr()))
        self.assertEqual(run("verify", self.out).returncode, 0)

    def test_truncated_png(self):
        self.small_set()
        bad = self.save("training/1/bad.png", noise(9, 7))
        bad.write_bytes(bad.read_bytes()[:-30])
        self.bad_image(3, "truncated")

    def test_damaged_png(self):
        self.small_set()
        bad = self.save("training/1/bad.png", noise(9, 7))
        content = bytearray(bad.read_bytes())
        content[len(content) // 2] ^= 1
        bad.write_bytes(content)
        self.bad_image(3, "damaged PNG")

    def test_text_file_named_png(self):
        self.small_set()
        (self.root / "training" / "1" / "bad.png").write_text("hello\n", encoding="utf-8")
        self.bad_image(3, "neither a PNG nor a JPEG file", "hello")

    def test_huge_png(self):
        self.small_set()
        for width, height in ((20000, 20000), (1 << 24, 1)):
            with self.subTest(width=width, height=height):
                (self.root / "training" / "1" / "bad.png").write_bytes(big_png(width, height))
                self.bad_image(3, f"{width}x{height} pixels", "limit")
                code, peak = exit_code_and_peak_memory("pack", self.root, self.out)
                self.assertEqual(code, 3)
                self.assertLess(peak, 100)
                self.out.unlink()

    def test_dangling_link(self):
        self.small_set()
        (self.root / "training" / "1" / "bad.png").symlink_to("nowhere.png")
        self.bad_image(4, "No such file or directory")

    def test_folder_named_png(self):
        self.small_set()
        (self.root / "training" / "1" / "bad.png").mkdir()
        self.bad_image(4, "Is a directory")

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_no_permission(self):
        self.small_set()
        bad = self.save("training/1/bad.png", noise(9, 7))
        bad.chmod(0)
        self.bad_image(4, "Permission denied")

    def test_output_in_a_missing_folder(self):
        self.small_set()
        result = run("pack", self.root, self.folder / "missing" / "x.h5")
        self.assert_error(result, 4, self.folder / "missing" / "x.h5", "No such file or directory")

    def test_output_is_a_folder(self):
        self.small_set()
        self.out.mkdir()
        self.assert_error(run("pack", self.root, self.out), 4, self.out, "Is a directory")

    def test_output_is_a_pipe(self):
        self.small_set()
        os.mkfifo(self.out)
        self.assert_error(run("pack", self.root, self.out), 4, f"cannot write {self.out}: it is no regular file")
        self.assertTrue(self.out.is_fifo())

    def test_output_is_a_link(self):
        self.small_set()
        self.out.symlink_to("../data.h5")
        self.pack()
        self.pack()
        self.assertEqual((os.readlink(self.out), os.listdir(self.out.parent)), ("../data.h5", ["x.h5"]))
        self.assertEqual(run("verify", self.folder / "data.h5").returncode, 0)

    def test_long_names(self):
        """Whatever the file system takes."""
        self.save(f"training/{'c' * 255}/{'f' * 251}.png", noise(9, 7))
        self.pack(out=self.folder / ("o" * 255))
        self.assert_error(run("pack", self.root, self.folder / ("o" * 256)), 4, "File name too long")

    def test_file_size_limit(self):
        self.small_set(size=(200, 200))
        for limit in (0, 1000, 100000, 400000):
            with self.subTest(limit=limit):
                self.assert_pack_fails(4, self.out, "File too large", preexec_fn=lambda: resource.setrlimit(
                    resource.RLIMIT_FSIZE, (limit, limit)))

    def test_full_disk(self):
        disk = self.out.parent
        mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(disk)], capture_output=True,
                               check=False)
        if mount.returncode != 0:
            self.skipTest("not allowed to mount a small disk")
        self.addCleanup(subprocess.run, ["umount", str(disk)], check=True)
        self.small_set(size=(500, 500))
        self.assert_pack_fails(4, self.out, "No space left on device")
        shutil.rmtree(self.root)
        self.small_set()
        self.pack()

    def test_full_standard_output(self):
        self.small_set()
        self.pack()
        with open("/dev/full", "w", encoding="ascii") as full:
            for arguments in (("--help",), ("--version",), ("pack", "--help"), ("info", self.out), ("verify", self.out),
                              ("pack", self.root, self.folder / "other.h5"),
                              ("synth", self.folder / "drawn", "--training", 10, "--testing", 10)):
                with self.subTest(arguments=arguments):
                    result = subprocess.run([H5PACK, *map(str, arguments)], stdout=full, stderr=subprocess.PIPE,
                                            text=True, timeout=300, check=False)
                    self.assertEqual(result.returncode, 4, result.stderr)
                    errors = [line for line in result.stderr.splitlines() if line.startswith("h5pack: error: ")]
                    self.assertEqual(len(errors), 1, result.stderr)
                    self.assertIn("standard output", errors[0])

    def interrupted_pack(self, signal_number):
        self.slow_set()
        self.out.write_text("older", encoding="utf-8")
        process = subprocess.Popen([H5PACK, "pack", str(self.root), str(self.out), "--gzip", "9"],
                                   stderr=subprocess.PIPE, text=True)
        wait_until(lambda: writes_in(process, self.out.parent) or process.poll() is not None, "its first bytes")
        self.assertIsNone(process.poll(), "it ended before it could be interrupted")
        process.send_signal(signal_number)
        _, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, -signal_number)
        self.assertEqual(os.listdir(self.out.parent), ["x.h5"])
        self.assertEqual(self.out.read_text(encoding="utf-8"), "older")
        return errors

    def test_killed(self):
        self.interrupted_pack(signal.SIGKILL)

    def test_interrupted(self):
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(signal=signal_number):
                self.assertIn("h5pack: error: interrupted", self.interrupted_pack(signal_number))
                shutil.rmtree(self.root)


if __name__ == "__main__":
    runner.main()
