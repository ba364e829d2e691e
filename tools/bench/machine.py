"""The machine: its processor, and whether somebody else keeps it busy. Linux only."""

import os
import platform
import re
import time
from pathlib import Path

BUSY = 0.1  # cores in use from which on the machine counts as busy


def cores():
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))


def processor():
    """The name that the processor gives itself."""
    names = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    return names[0] if names else platform.machine()


def busy_cores(seconds=1):
    """How many cores others use, over some seconds in which this process only waits."""
    start, busy_before = time.monotonic(), busy_seconds()
    time.sleep(seconds)
    return (busy_seconds() - busy_before) / (time.monotonic() - start)


def busy_seconds():
    """What all cores together have worked since the machine started, for whomever."""
    user, nice, system, _idle, _waiting, interrupts, soft_interrupts, stolen = map(
        int, Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0].split()[1:9])
    return (user + nice + system + interrupts + soft_interrupts + stolen) / os.sysconf("SC_CLK_TCK")
