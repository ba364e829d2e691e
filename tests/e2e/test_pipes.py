"""Attacks promise 4 by what is no file: whoever reads a pipe may wait for ever."""

import os
import shutil
import signal
import subprocess
import time

from program import FILE_SYSTEM, H5PACK, ProgramTest, Shared, main

setUpModule = Shared.make

NO_FILE = "it is no regular file"


class Pipes(ProgramTest):
    def setUp(self):
        super().setUp()
        self.pipe = self.folder / "pipe"
        os.mkfifo(self.pipe)

    def test_refused(self):
        for arguments in (("train", "pipe"), ("train", Shared.data, "--init-from", "pipe"), ("info", "pipe"),
                          ("evaluate", "--model", "pipe"), ("train", "--config", "/dev/zero")):
            self.assert_one_error(self.run_program(*arguments), FILE_SYSTEM, arguments[-1], NO_FILE)
        for command in ("info", "verify"):
            result = subprocess.run([H5PACK, command, "pipe"], cwd=self.folder, capture_output=True, text=True,
                                    check=False)
            self.assert_exit(result, FILE_SYSTEM)
            self.assertIn("pipe: " + NO_FILE, result.stderr)

    def test_in_a_run_folder(self):
        begun = self.train("begun", "--epochs", 1, "--hidden", 16)
        for name in ("config.toml", "checkpoints/manifest.json"):
            with self.subTest(name=name):
                broken = self.folder / "broken"
                shutil.rmtree(broken, ignore_errors=True)
                shutil.copytree(begun, broken)
                (broken / name).unlink()
                os.mkfifo(broken / name)
                self.assert_one_error(self.run_program("train", "--resume", broken, ranks=2), FILE_SYSTEM, name, NO_FILE)

    def test_a_configuration_may_come_through_one(self):
        job = self.start("train", Shared.data, "-o", "run", "--config", "pipe", "--hidden", 16)
        self.pipe.write_text("epochs = 1\n", encoding="utf-8")
        self.assert_exit(job.wait(), 0)
        self.assertIn("epochs = 1\n", (self.folder / "run" / "config.toml").read_text(encoding="utf-8"))

    def test_one_that_nobody_writes_to_can_be_left(self):
        job = self.start("train", Shared.data, "-o", "run", "--config", "pipe")
        writer = self.open_when_read(job)
        job.process.send_signal(signal.SIGTERM)
        self.assert_one_error(job.wait(), FILE_SYSTEM, "cannot read pipe")
        os.close(writer)

    def open_when_read(self, job):
        """The end of the pipe to write to."""
        while True:
            try:
                return os.open(self.pipe, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # nobody reads it yet
                self.assertIsNone(job.process.poll(), job.errors())
                time.sleep(0.005)


if __name__ == "__main__":
    main()
