"""A data set without its seal, damaged: bits and bytes outside its pixels, cut short at each length that 97 divides,
two blocks exchanged. It is refused in one line, or `h5pack verify` notices, or all that it holds is as it was. The
process that reads such a file first (`h5pack probe-dataset`) may die.
"""

import contextlib
import hashlib
import os
import random
import resource
import subprocess

from attack import Shared, Undisturbed, Wrong, ensure

from program import H5PACK, PATIENCE, SEAL, draw_digits, h5py, pack

QUICK = 4
TOGETHER = 40  # damages of a trial
# How many of each kind; of what is cut short, each length that the step divides.
BYTES, BITS, EXCHANGES, CUT_STEP = 4000, 8000, 4000, 97
BLOCK = 512
DIED = ("HDF5 does not survive it", "comes to no end")
# What no hash covers once the seal is gone, and no training depends on.
NOT_COVERED = ("train/names", "test/names")


class Small:
    """Few images, so that much of the file is what HDF5 reads. Made once."""

    sealed = data = b""
    parts = {}   # what it holds, by read_parts
    places = []  # without pixels
    bits = []    # (place, bit), some of those outside pixels, each one once


def prepare():
    if Shared.folder is None:
        Shared.make()
    path = pack(draw_digits(Undisturbed.folder("small") / "digits", 30, 10))
    Small.sealed = path.read_bytes()
    Small.data = Small.sealed[:-SEAL]
    Small.parts = read_parts(path)
    with h5py.File(path) as file:
        chunks = [file[f"{split}/images"].id.get_chunk_info(0) for split in ("train", "test")]
    pixels = {place for chunk in chunks for place in range(chunk.byte_offset, chunk.byte_offset + chunk.size)}
    Small.places = [place for place in range(len(Small.data)) if place not in pixels]
    Small.bits = random.Random(0).sample([(place, bit) for place in Small.places for bit in range(8)], BITS)


def read_parts(path):
    """All data sets and attributes that h5py can read in a file, as text by name. In a process of its own, since HDF5
    may not survive."""
    answer = path.with_suffix(".parts")
    child = os.fork()
    if child == 0:
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            with open(answer, "w", encoding="utf-8", buffering=1) as out, h5py.File(path) as file:
                write_parts(file, "", out)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    lines = answer.read_text(encoding="utf-8").splitlines()
    answer.unlink()
    return dict(line.split("\t", 1) for line in lines if "\t" in line)


def write_parts(thing, name, out):
    """A line for each attribute and data set of a group, and for those below it, that can be read."""
    for attribute in sorted(thing.attrs):
        out.write(f"{name}@{attribute!r}\t{thing.attrs[attribute]!r}\n")
    if isinstance(thing, h5py.Dataset):
        sha256 = hashlib.sha256(thing[()].tobytes()).hexdigest()
        out.write(f"{name}\t{thing.dtype} {thing.shape} {sha256}\n")
        return
    for member in sorted(thing):
        with contextlib.suppress(OSError, KeyError, RuntimeError, ValueError):
            write_parts(thing[member], f"{name}/{member}".lstrip("/"), out)


def trials():
    kinds = {"bytes": BYTES, "bits": BITS, "cut": -(-len(Small.sealed) // CUT_STEP), "exchange": EXCHANGES}
    return [(kind, first, min(first + TOGETHER, number)) for kind, number in kinds.items()
            for first in range(0, number, TOGETHER)]


def damaged(kind, number):
    """Bytes that were overwritten, one flipped bit, a file cut short, or two blocks, one of them not of pixels alone,
    that were exchanged."""
    result, chance = bytearray(Small.data), random.Random(f"{kind} {number}")
    if kind == "cut":
        return Small.sealed[:number * CUT_STEP]
    if kind == "bits":
        place, bit = Small.bits[number]
        result[place] ^= 1 << bit
    elif kind == "bytes":
        place, size = chance.choice(Small.places), chance.choice([1, 2, 4, 8, 16, 64, 500])
        size = min(size, len(result) - place)
        result[place:place + size] = chance.choice([chance.randbytes(size), bytes(size), b"\xff" * size])
    else:
        blocks = len(result) // BLOCK
        first, second = min(chance.choice(Small.places) // BLOCK, blocks - 1), chance.randrange(blocks)
        first, second = (slice(block * BLOCK, block * BLOCK + BLOCK) for block in (first, second))
        result[first], result[second] = Small.data[second], Small.data[first]
    return result


def run(command, path):
    """@return what h5pack makes of the file: the exit code, and the error line"""
    result = subprocess.run([H5PACK, command, path], capture_output=True, check=False, timeout=PATIENCE)
    printed, errors = (text.decode("utf-8", "replace") for text in (result.stdout, result.stderr))
    ensure(not any(character < " " and character != "\n" for character in printed + errors),
           f"{command} steers the terminal: {printed + errors!r}")
    refused = result.returncode in (3, 4) and errors.count("\n") == 1
    ensure(refused or result.returncode == 0, f"{command}: exit code {result.returncode}: {errors}")
    return result.returncode, errors


def judge(path):
    code, errors = run("info", path)
    if code != 0:
        return "the reading process died" if any(text in errors for text in DIED) else "refused"
    parts = read_parts(path)
    if parts == Small.parts:
        return "without effect"
    code, errors = run("verify", path)
    ensure(code != 0, "verify says whole, without a hash of all bytes")
    if "cannot be told" not in errors:
        return "taken, and verify notices"
    changed = [name for name, part in parts.items() if part != Small.parts.get(name)]
    ensure(set(changed) <= set(NOT_COVERED), f"taken, and verify does not notice: {changed}")
    return f"taken, verify can't tell: {'names of image files changed' if changed else 'h5py alone cannot read it all'}"


def trial(folder, kind, begin, end):
    outcomes = []
    for number in range(begin, end):
        (folder / "damaged.h5").write_bytes(damaged(kind, number))
        try:
            outcomes.append(f"{kind}: {judge(folder / 'damaged.h5')}")
        except Wrong as wrong:
            raise Wrong(f"{kind} {number}: {wrong}") from wrong
    return outcomes
