"""What a terminal shows of an epoch while it goes on, and that nothing else gets to see it: no file, no pipe, also
where mpirun stands between."""

import os
import re
import select
import shlex
import subprocess
import time

from program import ENDLESS, PATIENCE, ProgramTest, Shared, command_line, environment, main

setUpModule = Shared.make

ERASE = "\r\x1b[K"
# A few seconds of training, on a fast machine as on a slow one much more.
LONG = ("--hidden", "400,400", "--batch-size", 10, "--epochs", 4, *ENDLESS)
LINE = re.compile(r"^epoch \d, step \d+/\d+: loss [\d.]+, \d+ images/s, left [\d:]+, in all [\d:]+$")


class LiveLine(ProgramTest):
    def on_terminal(self, command):
        """What a terminal gets from a command, and for how many seconds it ran."""
        start = time.monotonic()
        terminal, program_end = os.openpty()
        # `script` would do, but is in no package that the tests need.
        take_terminal = "import fcntl, os, sys, termios; fcntl.ioctl(1, termios.TIOCSCTTY, 0); " \
                        "os.execvp(sys.argv[1], sys.argv[1:])"
        process = subprocess.Popen(["/usr/bin/python3", "-c", take_terminal, *command], cwd=self.folder,
                                   env={**environment(), "TERM": "xterm"}, stdin=subprocess.DEVNULL,
                                   stdout=program_end, stderr=program_end, start_new_session=True)
        os.close(program_end)
        output = b""
        while True:
            self.assertTrue(select.select([terminal], [], [], PATIENCE)[0], "nothing more comes")
            try:
                part = os.read(terminal, 65536)
            except OSError:  # nobody has the other end any more
                break
            if not part:
                break
            output += part
        os.close(terminal)
        self.assertEqual(process.wait(), 0, output)
        return output.decode().replace("\r\n", "\n"), time.monotonic() - start

    def assert_live(self, command):
        output, seconds = self.on_terminal(command)
        lines = [part for line in output.split("\n") for part in line.split(ERASE) if part.startswith("epoch ")
                 and "step" in part]
        self.assertGreater(len(lines), 0, output)
        for line in lines:
            self.assertLess(len(line), 80)
            self.assertRegex(line, LINE)
        self.assertLessEqual(len(lines), 10 * seconds + 1)
        # What stays on the screen is what a file would have got.
        kept = re.sub(r"[^\n]*\r\x1b\[K", "", output)
        self.assertNotIn("step 1", kept)
        self.assertEqual(len(re.findall(r"^ +\d  ", kept, re.MULTILINE)), 4, kept)

    def test_on_a_terminal(self):
        self.assert_live(command_line(["train", Shared.data, "-o", "run", *LONG], None))

    def test_on_a_terminal_with_mpirun(self):
        self.assert_live(command_line(["train", Shared.data, "-o", "run", *LONG], 2))

    def test_not_in_a_file_or_pipe(self):
        for number, (ranks, redirection) in enumerate(((None, "> out"), (None, "| cat > out"), (2, "> out"),
                                                       (2, "| cat > out"))):
            command = shlex.join(command_line(["train", Shared.data, "-o", f"run-{number}", *LONG], ranks))
            with self.subTest(ranks=ranks, redirection=redirection):
                self.on_terminal(["sh", "-c", f"{command} {redirection}"])
                output = (self.folder / "out").read_text(encoding="utf-8")
                self.assertNotIn("\x1b", output)
                self.assertIn("4 epochs done", output)

    def test_not_where_a_terminal_is_dumb(self):
        output, _ = self.on_terminal(["env", "TERM=dumb", *command_line(["train", Shared.data, "-o", "run", *LONG],
                                                                        None)])
        self.assertNotIn("\x1b", output)


if __name__ == "__main__":
    main()
