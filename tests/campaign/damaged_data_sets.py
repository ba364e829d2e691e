"""A data set without its seal, damaged outside its pixels: `h5pack info` reads it without effect, or refuses it in one
line. The process that reads such a file first (`h5pack probe-dataset`) may die.
"""

import random
import subprocess

from attack import Shared, Undisturbed, Wrong

from program import H5PACK, PATIENCE, SEAL, draw_digits, h5py, pack

FULL, QUICK = 100, 4
TOGETHER = 40  # damages of a trial
DIED = ("HDF5 does not survive it", "comes to no end")


class Small:
    """Few images, so that much of the file is what HDF5 reads. Made once."""

    data = b""
    places = []  # without pixels


def prepare():
    if Shared.folder is None:
        Shared.make()
    path = pack(draw_digits(Undisturbed.folder("small") / "digits", 30, 10))
    Small.data = path.read_bytes()[:-SEAL]
    with h5py.File(path) as file:
        chunks = [file[f"{split}/images"].id.get_chunk_info(0) for split in ("train", "test")]
    pixels = {place for chunk in chunks for place in range(chunk.byte_offset, chunk.byte_offset + chunk.size)}
    Small.places = [place for place in range(len(Small.data)) if place not in pixels]


def trials():
    return [(number,) for number in range(FULL)]


def damaged(chance):
    """One bit is flipped, or up to 500 bytes are overwritten."""
    result, place = bytearray(Small.data), chance.choice(Small.places)
    if chance.random() < 0.5:
        result[place] ^= 1 << chance.randrange(8)
        return result
    size = chance.choice([2, 4, 8, 16, 64, 500])
    result[place:place + size] = chance.choice([chance.randbytes(size), bytes(size), b"\xff" * size])
    return result[:len(Small.data)]


def trial(folder, number):
    chance = random.Random(number)
    path, outcomes = folder / "damaged.h5", []
    for damage in range(TOGETHER):
        path.write_bytes(damaged(chance))
        result = subprocess.run([H5PACK, "info", path], capture_output=True, check=False, timeout=PATIENCE)
        printed, errors = (text.decode("utf-8", "replace") for text in (result.stdout, result.stderr))
        lines = errors.split("\n")[:-1]
        if any(character < " " and character != "\n" for character in printed + errors):
            raise Wrong(f"damage {damage}: it steers the terminal: {printed + errors!r}")
        if result.returncode != 0 and not (result.returncode in (3, 4) and len(lines) == 1):
            raise Wrong(f"damage {damage}: exit code {result.returncode}: {errors}")
        died = any(text in errors for text in DIED)
        outcomes.append("the reading process died" if died else "refused" if result.returncode else "without effect")
    return outcomes
