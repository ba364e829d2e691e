#!/usr/bin/python3
"""Draws PNG files of every kind, whole and damaged, packs them, and compares the pixels with two others' work.

Usage: tests/campaign/png_corpus.py [FILES [SEED]]      default: 20000 1

Every size below meets every colour type and bit depth, interlaced or not; filters, pieces of the compressed data,
transparency and further chunks are by chance. A whole file must give the pixels that image/png.hpp promises, in grey
and in colour, worked out from the samples that were drawn; Pillow, which shares no code with our decoder, must find
these samples in the file. For every ten whole files there is a damaged one of each sort in `damages`: `h5pack pack
--on-bad-image skip` must refuse it in one line that names it, but for the sorts that change no pixel. The program is
H5PACK=PROGRAM, or that in build/.

Exit codes: 0 all as it must be, 1 not.
"""

import collections
import os
import random
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

from png_drawing import KINDS, SIGNATURE, Png, as_colour, as_grey, chunk, chunks_of

ROOT = Path(__file__).resolve().parents[2]
H5PACK = os.environ.get("H5PACK") or str(ROOT / "build" / "h5pack")
SIZES = [(1, 1), (3, 5), (7, 9), (1, 8), (8, 1), (2, 2), (5, 4), (17, 3), (28, 28), (300, 2), (2, 300)]


def pack(folder, *options):
    """@return what is packed, by the name within the class, and what is said of the others"""
    target = folder / "packed.h5"
    result = subprocess.run([H5PACK, "pack", folder, target, *options], capture_output=True, text=True, check=False)
    lines = [line for line in result.stderr.splitlines() if "h5pack: packing:" not in line]
    if result.returncode != 0:
        return {}, [f"exit code {result.returncode}", *lines]
    with h5py.File(target) as file:
        return dict(zip((name.split("/")[-1] for name in file["train/names"].asstr()), file["train/images"][:])), lines


def pillow_finds(path, png):
    """Whether Pillow finds in the file the samples that were drawn. It keeps the upper half of 16 bits, but in grey."""
    with Image.open(path) as image:
        found = np.array(image)
        palette = image.getpalette() if png.colour_type == 3 else None
    wanted = png.samples if png.samples.shape[2] > 1 else png.samples[:, :, 0]
    if png.colour_type == 3:
        return np.array_equal(found, wanted) and palette[:png.palette.size] == png.palette.ravel().tolist()
    if png.colour_type == 4 and png.depth == 16:  # which Pillow has as colour and alpha
        found = found[:, :, 2:]
    if png.colour_type == 0 and png.depth < 8:
        return np.array_equal(found * (255 if found.dtype == bool else 1), wanted * (255 // (2 ** png.depth - 1)))
    return np.array_equal(found, wanted >> 8 if png.depth == 16 and png.colour_type != 0 else wanted)


def check_whole(folder, size, count, tally):
    """Draws `count` files of one size, in all kinds by turns, and adds what is wrong with them to the tally."""
    drawn = {}
    (folder / "all").mkdir(parents=True)
    for number in range(count):
        colour_type, depth = KINDS[number // 2 % len(KINDS)]
        png = Png(*size, colour_type, depth, number % 2)
        name = f"{number}-type{colour_type}-{depth}bit-{'interlaced' if number % 2 else 'plain'}.png"
        (folder / "all" / name).write_bytes(png.bytes())
        drawn[name] = png
    grey, grey_lines = pack(folder)
    colour, colour_lines = pack(folder, "--colour")
    tally.update(f"WRONG: {line}" for line in grey_lines + colour_lines)
    for name, png in drawn.items():
        expected = png.expected()
        if not np.array_equal(grey.get(name), as_grey(expected)):
            tally[f"WRONG: {size} {name} in grey: {png.bytes().hex()}"] += 1
        elif not np.array_equal(colour.get(name), as_colour(expected)):
            tally[f"WRONG: {size} {name} in colour: {png.bytes().hex()}"] += 1
        elif not pillow_finds(folder / "all" / name, png):
            tally[f"WRONG: {size} {name} by Pillow: {png.bytes().hex()}"] += 1
        else:
            tally["whole files with equal pixels"] += 1


def with_header(png, **changes):
    """The file with other values in its header, and the right checksum."""
    names = "width", "height", "depth", "colour_type", "compression", "filter", "interlaced"
    values = dict(zip(names, struct.unpack(">IIBBBBB", png.parts["IHDR"][8:-4])))
    return with_parts(png, IHDR=chunk(b"IHDR", struct.pack(">IIBBBBB", *{**values, **changes}.values())))


def with_parts(png, **changes):
    return b"".join({**png.parts, **changes}.values())


def with_wrong_checksum(data, names):
    """One bit of the checksum of one of the chunks for which `names` is true; None where there is none."""
    found = [end for name, _, end in chunks_of(data) if names(name)]
    if not found:
        return None
    place = random.choice(found) - random.randint(1, 4)
    return data[:place] + bytes([data[place] ^ 1 << random.randrange(8)]) + data[place + 1:]


def data_of(lines):
    return chunk(b"IDAT", zlib.compress(lines))


def damages(png):
    """(what is done, the file or None where it cannot be done, whether the pixels remain)"""
    data, lines = png.bytes(), png.scanlines()
    place = random.randrange(len(data))
    wrong_sum = bytearray(zlib.compress(lines))
    wrong_sum[-1] ^= 1
    yield "cut off", data[:place], False
    yield "one bit", data[:place] + bytes([data[place] ^ 1 << random.randrange(8)]) + data[place + 1:], False
    yield "a critical chunk's checksum", with_wrong_checksum(data, bytes.isupper), False
    yield "another chunk's checksum", with_wrong_checksum(data, lambda name: not name.isupper()), False
    yield "no IDAT", with_parts(png, IDAT=b""), False
    yield "an empty IDAT", with_parts(png, IDAT=chunk(b"IDAT")), False
    yield "a line too few", with_parts(png, IDAT=data_of(lines[:random.randrange(len(lines))])), False
    yield "an unknown filter", with_parts(png, IDAT=data_of(b"\5" + lines[1:])), False
    yield "no zlib data", with_parts(png, IDAT=chunk(b"IDAT", random.randbytes(100))), False
    yield "zlib data with a wrong checksum", with_parts(png, IDAT=chunk(b"IDAT", bytes(wrong_sum))), False
    yield "no IEND", with_parts(png, IEND=b""), False
    yield "no IHDR", with_parts(png, IHDR=b""), False
    yield "IHDR twice", with_parts(png, IHDR=2 * png.parts["IHDR"]), False
    yield "no signature", data[len(SIGNATURE):], False
    yield "PLTE missing", with_parts(png, PLTE=b"") if png.colour_type == 3 else None, False
    yield "PLTE after IDAT", with_parts(png, PLTE=b"", last=png.parts["PLTE"]) if png.colour_type == 3 else None, False
    yield "PLTE of 4 bytes", with_parts(png, PLTE=chunk(b"PLTE", bytes(4))) if png.colour_type == 3 else None, False
    yield "an unknown critical chunk", with_parts(png, last=chunk(b"ABCD", b"x")), False
    yield "IDAT in two places", with_parts(png, last=chunk(b"tEXt", b"a\0b") + data_of(lines)), False
    yield "no width", with_header(png, width=0), False
    yield "no height", with_header(png, height=0), False
    yield "a height of 2^31", with_header(png, height=2 ** 31), False
    yield "a bit depth of 3", with_header(png, depth=3), False
    yield "colour type 5", with_header(png, colour_type=5), False
    yield "an unknown compression", with_header(png, compression=1), False
    yield "an unknown filtering", with_header(png, filter=1), False
    yield "an unknown interlacing", with_header(png, interlaced=2), False
    yield "something after IEND", data + random.randbytes(random.randint(1, 50)), True
    yield "lines too many", with_parts(png, IDAT=data_of(lines + bytes(300))), True


def check_damaged(folder, count, tally):
    """Damages `count` files in every sort."""
    (folder / "all").mkdir(parents=True)
    expected = {}  # by name: what was done, the pixels or None
    for number in range(count):
        png = Png(7, 9, *random.choice(KINDS), random.randrange(2))
        (folder / "all" / f"{number}.png").write_bytes(png.bytes())
        expected[f"{number}.png"] = "nothing", as_grey(png.expected()), png
        for what, data, remains in damages(png):
            if data is not None:
                name = f"{number}-{what.replace(' ', '-')}.png"
                (folder / "all" / name).write_bytes(data)
                expected[name] = what, as_grey(png.expected()) if remains else None, png
    packed, lines = pack(folder, "--on-bad-image", "skip")
    reasons = collections.defaultdict(list)
    start = f"h5pack: warning: skipped {folder}/all/"
    for line in lines:
        name = line.removeprefix(start).split(":")[0] if line.startswith(start) else line
        reasons[name].append(line)
    for name, (what, pixels, png) in expected.items():
        fits = (len(reasons[name]) == 1 and name not in packed if pixels is None
                else np.array_equal(packed.get(name), pixels) and not reasons[name])
        if fits:
            tally["damaged files refused in one line" if pixels is None else "files with harmless changes"] += 1
        else:
            tally[f"WRONG: {what}, colour type {png.colour_type}: {reasons[name] or 'taken'}"] += 1
    tally.update(f"WRONG: {line}" for name, said in reasons.items() if name not in expected for line in said)


def campaign(files, seed, folder):
    """@return how often which end was met"""
    random.seed(seed)
    tally = collections.Counter()
    for width, height in SIZES:
        check_whole(folder / f"{width}x{height}", (width, height), -(-files // len(SIZES)), tally)
    check_damaged(folder / "damaged", -(-files // 10), tally)
    return tally


def wrong(tally):
    return [end for end in tally if end.startswith("WRONG")]


def main():
    files, seed = (int(value) for value in (*sys.argv[1:], *("20000", "1")[len(sys.argv) - 1:]))
    with tempfile.TemporaryDirectory(prefix="mnist-dist-campaign-") as name:
        tally = campaign(files, seed, Path(name))
    for end, count in tally.items():
        print(f"{count} {end}")
    return 1 if wrong(tally) else 0


if __name__ == "__main__":
    sys.exit(main())
