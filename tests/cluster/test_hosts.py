"""The hosts are what hosts.py says of them, and nothing of them stays."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from cluster import ClusterTest, setUpModule
from hosts import all_processes, namespace_of
from program import HANG, main, wait_until

TOOL = Path(__file__).with_name("hosts.py")
# On this machine; then, on the first host, a process that goes on. The test waits for what is printed.
COMMAND = '$ON ${HOSTS%% *} "readlink /proc/self/ns/pid; exec sleep 100000"'


class Apart(ClusterTest):
    COUNT = 2

    def on(self, index, command):
        return self.hosts.run(index, "sh", "-c", command, stdout=subprocess.PIPE, timeout=HANG).stdout

    def test_names_and_memory(self):
        self.assertEqual([self.on(index, "hostname").strip() for index in (0, 1)], self.hosts.names)
        self.on(0, "touch /dev/shm/seen")
        self.assertEqual((self.on(0, "ls /dev/shm"), self.on(1, "ls /dev/shm")), ("seen\n", ""))

    def test_link(self):
        """Whether a word sent from the first host comes to the second one."""
        receive = "import socket; s = socket.create_server(('', 5555)); print('ready', flush=True); " \
                  "print(next(w for w in iter(lambda: s.accept()[0].recv(9), None) if w).decode())"
        send = f"import socket; socket.create_connection(('{self.hosts.address(1)}', 5555), 2).send(b'word')"
        receiver = subprocess.Popen([self.hosts.variables["ON"], self.hosts.names[1],
                                     f'{sys.executable} -c "{receive}"'], stdout=subprocess.PIPE, text=True)
        self.addCleanup(receiver.stdout.close)
        self.assertEqual(receiver.stdout.readline(), "ready\n")
        self.hosts.cut(1)
        self.assertNotEqual(self.hosts.run(0, sys.executable, "-c", send, stderr=subprocess.DEVNULL).returncode, 0)
        self.hosts.mend(1)
        wait_until(lambda: self.hosts.run(0, sys.executable, "-c", send, stderr=subprocess.DEVNULL).returncode == 0,
                   "a connection over the mended link", HANG)
        self.assertEqual(receiver.communicate(timeout=HANG)[0], "word\n")

    def test_killed(self):
        """While it starts processes as fast as it can."""
        sleeper = subprocess.Popen([self.hosts.variables["ON"], self.hosts.names[0],
                                    "for each in $(seq 200); do sleep 100000 & done; wait"])
        wait_until(lambda: len(self.hosts.at_work(0)) >= 10, "ten processes", HANG)
        self.hosts.kill(0)
        self.assertNotEqual(sleeper.wait(HANG), 0)
        wait_until(lambda: not self.hosts.at_work(0), "the end of all processes", HANG)
        self.assertEqual(self.on(0, "hostname").strip(), self.hosts.names[0])


class NothingStays(ClusterTest):
    def assert_ends(self, send, code):
        tool = subprocess.Popen([sys.executable, TOOL, "2", "--", "sh", "-c", COMMAND], stdout=subprocess.PIPE,
                                env={**os.environ, "TMPDIR": str(self.folder)}, text=True, preexec_fn=hear_interrupts)
        self.addCleanup(tool.stdout.close)
        host = tool.stdout.readline().strip()
        self.assertRegex(host, "^pid:")
        send(tool)
        self.assertEqual(tool.wait(HANG), code)
        wait_until(lambda: host not in map(namespace_of, all_processes()), "the end of all processes", HANG)
        wait_until(lambda: not list(self.folder.iterdir()), "the folder's end", HANG)

    def test_sigterm(self):
        self.assert_ends(lambda tool: tool.terminate(), 128 + signal.SIGTERM)

    def test_sigint(self):
        self.assert_ends(lambda tool: tool.send_signal(signal.SIGINT), 128 + signal.SIGINT)

    def test_sigkill(self):
        self.assert_ends(lambda tool: tool.kill(), -signal.SIGKILL)


def hear_interrupts():
    """For a program to be: whoever runs the tests in the background ignores them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    main()
