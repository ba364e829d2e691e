#!/usr/bin/python3
"""Damages a data set that has no seal, again and again, and tells what becomes of the program that reads it.

Usage: tests/campaign/damaged_data_sets.py [TRIALS [SEED]]      default: 10000 1

Half of the trials flip one bit, half overwrite up to 500 bytes, both where no pixels lie. Each time `h5pack info` must
end with 0 (no effect), or with 3 or 4 and one line. The process that it lets read the file first (`h5pack
probe-dataset`) may die; how often it does is told. The program is H5PACK=PROGRAM, or that in build/.

Exit codes: 0 all as it must be, 1 not.
"""

import collections
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py

ROOT = Path(__file__).resolve().parents[2]
H5PACK = os.environ.get("H5PACK") or str(ROOT / "build" / "h5pack")
SEAL = len("\nmnist-dist sha256 \n") + 64  # bytes


def small_data_set(folder):
    """Few images, so that much of the file is what HDF5 reads. @return its bytes, and the places without pixels"""
    path = folder / "small.h5"
    subprocess.run([H5PACK, "synth", folder / "small", "--training", "30", "--testing", "10"], check=True,
                   stdout=subprocess.DEVNULL)
    subprocess.run([H5PACK, "pack", folder / "small", path], check=True, stdout=subprocess.DEVNULL)
    data = path.read_bytes()[:-SEAL]
    with h5py.File(path) as file:
        chunks = [file[f"{split}/images"].id.get_chunk_info(0) for split in ("train", "test")]
    pixels = set()
    for chunk in chunks:
        pixels.update(range(chunk.byte_offset, chunk.byte_offset + chunk.size))
    return data, [place for place in range(len(data)) if place not in pixels]


def damaged(data, place):
    result = bytearray(data)
    if random.random() < 0.5:
        result[place] ^= 1 << random.randrange(8)
        return bytes(result)
    size = random.choice([2, 4, 8, 16, 64, 500])
    result[place:place + size] = random.choice([random.randbytes(size), bytes(size), b"\xff" * size])
    return bytes(result[:len(data)])


def main():
    trials, seed = (int(value) for value in (*sys.argv[1:], *("10000", "1")[len(sys.argv) - 1:]))
    random.seed(seed)
    ends = collections.Counter()
    probes_that_died = 0
    with tempfile.TemporaryDirectory(prefix="mnist-dist-campaign-") as name:
        folder = Path(name)
        data, places = small_data_set(folder)
        path = folder / "damaged.h5"
        for _ in range(trials):
            path.write_bytes(damaged(data, random.choice(places)))
            result = subprocess.run([H5PACK, "info", path], capture_output=True, check=False)
            lines = result.stderr.splitlines()
            fits = result.returncode == 0 or (result.returncode in (3, 4) and len(lines) == 1)
            ends[f"code {result.returncode}" if fits else f"WRONG: {result.returncode} {lines[:2]}"] += 1
            probes_that_died += b"HDF5 does not survive it" in result.stderr or b"comes to no end" in result.stderr
    print(f"{trials} trials, seed {seed}: {dict(ends)}; the probe died {probes_that_died} times")
    return 1 if any(end.startswith("WRONG") for end in ends) else 0


if __name__ == "__main__":
    sys.exit(main())
