"""Power loss at every instant of a run and of its resume: what was not flushed is lost, or not, in any combination. The
calls of a real run are replayed on a disk that keeps no more than POSIX promises; the run must go on from what is left.
"""

import os
import random
from pathlib import Path

from attack import Run, Undisturbed, ensure, epochs_on_disk

from program import shim

QUICK = 40
BEGUN, EPOCHS = 2, 3
SAMPLES = 200  # for each instant

CALLS_ON_DESCRIPTORS = ("write", "ftruncate", "fsync", "close")
CALLS_ON_PATHS = ("mkdir", "symlink", "linkat", "rename", "unlink")


class File:
    """What was flushed, and the writes since then."""

    def __init__(self):
        self.durable, self.pending = b"", []

    def flush(self):
        for data in self.pending:
            self.durable += data
        self.pending = []

    def truncate(self, size):
        self.flush()
        self.durable = self.durable[:size]

    def after_power_loss(self, chance):
        """Each write that was not flushed is there, or zeros in its place, or nothing from it on."""
        content = self.durable
        for data in self.pending:
            fate = chance.choice(("there", "zeros", "half", "nothing"))
            if fate == "nothing":
                break
            content += {"there": data, "zeros": bytes(len(data)), "half": data[:len(data) // 2]}[fate]
        return content


class Folder:
    """The names that were flushed, and the changes since then: (old name or None, new name or None, what it names)."""

    def __init__(self):
        self.durable, self.pending = {}, []

    @staticmethod
    def apply(names, change):
        old, new, thing = change
        names.pop(old, None)
        if new is not None:
            names[new] = thing

    def flush(self):
        for change in self.pending:
            self.apply(self.durable, change)
        self.pending = []

    def names(self):
        """As the running program sees them."""
        names = dict(self.durable)
        for change in self.pending:
            self.apply(names, change)
        return names

    def after_power_loss(self, chance):
        """Each change that was not flushed has happened, or not."""
        names = dict(self.durable)
        share = chance.choice((0, 0.5, 0.8, 1))
        for change in self.pending:
            if chance.random() < share:
                self.apply(names, change)
        return names


class Disk:
    """Replays the log of tests/e2e/file_system_shim.cpp below one folder."""

    def __init__(self, root, data):
        self.root_path, self.data = root, data
        self.root = Folder()
        self.open = {}  # by descriptor: File or Folder

    def place(self, path):
        """@return the folder in which the path is a name, and that name; or the root itself"""
        parts = Path(os.path.normpath(self.root_path / path)).relative_to(self.root_path).parts
        folder = self.root
        for part in parts[:-1]:
            folder = folder.names()[part]
        return folder, parts[-1] if parts else None

    def find(self, path):
        if path.startswith("/proc/self/fd/"):
            return self.open.get(path.rsplit("/", 1)[1])
        folder, name = self.place(path)
        return folder if name is None else folder.names().get(name)

    def is_below(self, path):
        return path.startswith("/proc/self/fd/") or (self.root_path / path).is_relative_to(self.root_path)

    def apply(self, line):
        """@return whether the call is one for this folder, and no open()"""
        call, *fields = line.split("\t")
        if call == "open":
            self.apply_open(*fields)
        concerned = ((call in CALLS_ON_DESCRIPTORS and fields[0] in self.open) or
                     (call in CALLS_ON_PATHS and self.is_below(fields[-1])))
        if concerned:
            getattr(self, f"apply_{call}")(*fields)
        return concerned

    def apply_open(self, descriptor, path, kind):
        self.open.pop(descriptor, None)
        if not self.is_below(path):
            return
        thing = File() if kind == "O_TMPFILE" else self.find(path)
        if thing is None and kind == "O_CREAT":
            thing = File()
            folder, name = self.place(path)
            folder.pending.append((None, name, thing))
        if thing is not None:
            self.open[descriptor] = thing

    def apply_write(self, descriptor, place, size):
        self.open[descriptor].pending.append(self.data[int(place):int(place) + int(size)])

    def apply_ftruncate(self, descriptor, size):
        self.open[descriptor].truncate(int(size))

    def apply_fsync(self, descriptor):
        self.open[descriptor].flush()

    def apply_close(self, descriptor):
        self.open.pop(descriptor)

    def apply_mkdir(self, path):
        folder, name = self.place(path)
        folder.pending.append((None, name, Folder()))

    def apply_symlink(self, text, path):
        folder, name = self.place(path)
        folder.pending.append((None, name, text))

    def apply_linkat(self, source, path):
        folder, name = self.place(path)
        folder.pending.append((None, name, self.find(source)))

    def apply_rename(self, source, target):
        thing = self.find(source)
        folder, name = self.place(target)
        folder.pending.append((self.place(source)[1], name, thing))

    def apply_unlink(self, path):
        folder, name = self.place(path)
        folder.pending.append((name, None, None))

    def what_is_left(self, chance, folder=None):
        """@return pairs of a name and what it names: bytes, the text of a link, or the same for a folder"""
        names = (folder or self.root).after_power_loss(chance)
        return frozenset((name, self.what_is_left(chance, thing) if isinstance(thing, Folder) else
                          thing if isinstance(thing, str) else thing.after_power_loss(chance))
                         for name, thing in names.items())


def write_disk(path, left):
    path.mkdir()
    for name, thing in left:
        if isinstance(thing, frozenset):
            write_disk(path / name, thing)
        elif isinstance(thing, str):
            (path / name).symlink_to(thing)
        else:
            (path / name).write_bytes(thing)


class Recorded:
    """The calls of a run and of its resume. Made once."""

    root = None
    lines = []
    data = b""


def prepare():
    Undisturbed.make(EPOCHS)
    Recorded.root = Undisturbed.folder("power-loss")
    log, data = Recorded.root.with_suffix(".log"), Recorded.root.with_suffix(".bytes")
    for epochs in (BEGUN, EPOCHS):
        run = Run(Recorded.root, epochs)
        job = run.start(None, variables=shim(FILE_SYSTEM_LOG=log, FILE_SYSTEM_BYTES=data))
        ensure(run.wait_for_end(job) == 0, job.errors())
        run.close()
    Recorded.lines, Recorded.data = log.read_text(encoding="utf-8").splitlines(), data.read_bytes()


def counted_epochs(disk):
    """Those that a flushed manifest names: they must not be lost any more."""
    run = disk.root.names().get("run")
    checkpoints = run.names().get("checkpoints") if run else None
    manifest = checkpoints.durable.get("manifest.json") if checkpoints else None
    return manifest.durable.count(b'"epoch"') if manifest else 0


def chance_of(instant, sample):
    return random.Random(1000 * instant + sample)


def trials():
    """One for each different disk that any sample of any instant leaves: an instant is after each call that changes
    something."""
    disk, counted, samples, found = Disk(Recorded.root, Recorded.data), 0, 0, {}
    for instant, line in enumerate(Recorded.lines):
        if not disk.apply(line) or line.startswith("close"):
            continue
        counted = max(counted, counted_epochs(disk))
        for sample in range(SAMPLES):
            left = disk.what_is_left(chance_of(instant, sample))
            first = found.get(left, (instant, sample))
            found[left] = (*first[:2], counted)  # the last instant asks for most
        samples += SAMPLES
    print(f"power_loss: {samples} samples, {len(found)} different disks")
    return list(found.values())


def trial(folder, instant, sample, counted):
    disk = Disk(Recorded.root, Recorded.data)
    for line in Recorded.lines[:instant + 1]:
        disk.apply(line)
    place = folder / "disk"
    write_disk(place, disk.what_is_left(chance_of(instant, sample)))
    run = Run(place, EPOCHS)
    try:
        found = epochs_on_disk(run.path)
        ensure(found >= counted, f"epoch {counted} counted, epoch {found} is on the disk")
        run.finish(None)
    finally:
        run.close()
    return [f"went on after epoch {found}"]
