"""The temporary folder in which the programs run as a reader of the pages would run them, and the machine below it."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "bench"))

import machine  # noqa: E402: it lies in tools/bench

# Nobody else's choice of kernels and threads; mpirun as root and with more ranks than cores.
LEFT_OUT = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
MPIRUN = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
          "OMPI_MCA_rmaps_base_oversubscribe": "1"}
PROGRAMS = {"MNIST_DIST": "mnist-dist", "H5PACK": "h5pack"}


class NotWorking(Exception):
    """Something needed is missing, or a program failed. The message says which."""


def program(variable):
    """A program's path: what MNIST_DIST or H5PACK names, else that of build/."""
    path = Path(os.environ.get(variable) or ROOT / "build" / PROGRAMS[variable]).absolute()
    if path.name != PROGRAMS[variable]:  # it is called by this name, through the PATH
        raise NotWorking(f"{variable}={path}: its name must be {PROGRAMS[variable]}")
    if not os.access(path, os.X_OK):
        raise NotWorking(f"{path}: no such program; build it first, or set {variable}")
    return path


class Workshop:
    """A folder that holds the real MNIST as `digits`, with both programs on the PATH. Removed at the end."""

    def __enter__(self):
        images = Path(os.environ.get("MNIST_DIST_PNG") or "")
        if not (images / "training").is_dir():
            raise NotWorking("set MNIST_DIST_PNG to the folder that holds the real MNIST, training/<digit>/*.png and "
                             "testing/<digit>/*.png")
        folders = [str(program(variable).parent) for variable in PROGRAMS]
        kept = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
        self.environment = {**kept, **MPIRUN, "PATH": ":".join([*folders, os.environ["PATH"]])}
        self.folder = Path(tempfile.mkdtemp(prefix="readme-figures-"))
        (self.folder / "digits").symlink_to(images.resolve())
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def start(self, command, **options):
        """A process in the folder. command: as in a shell, or a list."""
        words = shlex.split(command) if isinstance(command, str) else list(map(str, command))
        return subprocess.Popen(words, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, text=True,
                                stdout=subprocess.PIPE, **{"stderr": subprocess.PIPE, **options})

    def output(self, command, **options):
        """What the command prints; it must succeed."""
        process = self.start(command, **options)
        output, errors = process.communicate()
        if process.returncode != 0:
            raise NotWorking(f"{command}: exit code {process.returncode}\n{(errors or output).strip()}")
        return output

    def error(self, command):
        """The error of a command that must fail."""
        process = self.start(command)
        _, errors = process.communicate()
        if process.returncode == 0:
            raise NotWorking(f"{command}: should have failed")
        return errors

    def console(self, *commands):
        """The commands and what they print, as on a terminal; h5pack's progress is no output."""
        def printed(command):
            return self.output(command, **({"stderr": subprocess.STDOUT} if " launch " in command else {}))
        return "".join(f"$ {command}\n{printed(command)}" for command in commands)

    def signal_programs(self, process, number):
        """Sends a signal to mnist-dist and to all mnist-dist that it has started, as pkill does."""
        for pid in [process.pid, *descendants(process.pid)]:
            try:
                if Path(f"/proc/{pid}/comm").read_text(encoding="utf-8") == "mnist-dist\n":
                    os.kill(pid, number)
            except OSError:
                pass  # it has ended

    def pack(self):
        """Makes mnist.h5."""
        if not (self.folder / "mnist.h5").exists():
            self.output("h5pack pack digits mnist.h5")


def descendants(pid):
    """All processes that this one has started, and those have started."""
    found = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text(encoding="ascii").split():
            found += [int(child), *descendants(int(child))]
    return found


def cores():
    """Such as "2 cores of Intel Xeon"."""
    count = machine.cores()
    return f"{count} core{'s' * (count > 1)} of {machine.processor()}"


def software(output):
    """What `train` or `bench` said of itself: the version and the compiler, and OpenBLAS's core."""
    return f"{output.splitlines()[0]}; {re.search(r'BLAS core [^;,]+', output)[0]}"
