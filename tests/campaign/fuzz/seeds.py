#!/usr/bin/python3
"""Makes what the fuzz targets begin with, with h5pack and mnist-dist themselves.

Usage: tests/campaign/fuzz/seeds.py PROGRAMS FOLDER      PROGRAMS: the folder of h5pack and mnist-dist

FOLDER/<target>: seeds, from which the fuzzer makes others. FOLDER/<target>-files: whole HDF5 files, each read once as
it is: a real one, and what h5py makes of it. In each of those one object is left out, or is something that our own
programs never write: another type, shape or order of bytes, text of variable size, a link, sizes that nothing stands
behind.
"""

import gzip
import random
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from png_drawing import KINDS, Png  # noqa: E402: it lies one folder above

ROOT = Path(__file__).resolve().parents[3]
HUGE = 2 ** 40


def compound(file, name, data):
    file.create_dataset(name, data=np.zeros(data.shape, [("a", "f4"), ("b", "i4")]))


def huge(shape):
    """Rows without end, none of which is in the file."""
    return lambda file, name, data: file.create_dataset(name, shape, data.dtype, chunks=tuple([1] * len(shape)),
                                                        maxshape=tuple([None] * len(shape)))


def text_of_variable_size(file, name, data):
    file.create_dataset(name, data.shape, h5py.string_dtype(), fillvalue="x")


def make_data_set(dtype):
    def make(file, name, data):
        try:
            file.create_dataset(name, data=data.astype(dtype))
        except ValueError:  # text that is no number
            file.create_dataset(name, data=np.zeros(data.shape, dtype))
    return make


ODD_DATA_SETS = {
    "missing": lambda file, name, data: None,
    "group": lambda file, name, data: file.create_group(name),
    "soft-link-to-nothing": lambda file, name, data: file.__setitem__(name, h5py.SoftLink("/nowhere")),
    "soft-link-to-itself": lambda file, name, data: file.__setitem__(name, h5py.SoftLink(name)),
    "external-link": lambda file, name, data: file.__setitem__(name, h5py.ExternalLink("nowhere.h5", "/x")),
    "named-type": lambda file, name, data: file.__setitem__(name, np.dtype("f4")),
    "empty-space": lambda file, name, data: file.create_dataset(name, data=h5py.Empty(data.dtype)),
    "scalar": lambda file, name, data: file.create_dataset(name, data=data.ravel()[0]),
    "flat": lambda file, name, data: file.create_dataset(name, data=data.ravel()),
    "more-dimensions": lambda file, name, data: file.create_dataset(name, data=data[None]),
    "32-dimensions": lambda file, name, data: file.create_dataset(name, data=data.reshape([1] * 31 + [-1])),
    "no-rows": lambda file, name, data: file.create_dataset(name, data=data[:0]),
    "fewer-rows": lambda file, name, data: file.create_dataset(name, data=data[:-1]),
    "huge": lambda file, name, data: huge((HUGE, *data.shape[1:]))(file, name, data),
    "huge-pixels": lambda file, name, data: huge((*data.shape[:-1], HUGE))(file, name, data),
    "large": lambda file, name, data: huge((2 ** 30, *data.shape[1:]))(file, name, data),
    "compound": compound,
    "text-of-variable-size": text_of_variable_size,
    "opaque": lambda file, name, data: file.create_dataset(name, data=np.zeros(data.shape, "V8")),
    "references": lambda file, name, data: file.create_dataset(name, data.shape, h5py.ref_dtype),
    "enum": lambda file, name, data: file.create_dataset(name, data.shape, h5py.enum_dtype({"A": 1}, "i4")),
    "array-type": lambda file, name, data: file.create_dataset(name, data.shape, np.dtype("(2,)f4")),
    "lists": lambda file, name, data: file.create_dataset(name, data.shape, h5py.vlen_dtype("i4")),
    "compressed": lambda file, name, data: file.create_dataset(name, data=data, compression="gzip"),
    "unknown-filter": lambda file, name, data: file.create_dataset(name, data=data, compression="lzf"),
    **{dtype: make_data_set(dtype) for dtype in (">f4", "f2", ">i8", "u8", "i1", "f8", "c8", "bool", "S3")},
}
ODD_ATTRIBUTES = {
    "missing": None, "empty-space": h5py.Empty("f8"), "list": np.arange(3), "no-values": np.zeros(0), "text": "abc",
    "text-of-no-size": np.bytes_(b""), "bytes": np.bytes_(b"\xff\xfe\n\x1b["), "texts": np.array([b"a", b"bc"]),
    "variable": np.array("x", dtype=h5py.string_dtype()), "nan": np.nan, "infinite": -np.inf,
    "big-endian": np.array(3, ">i2"),
    "unsigned": np.uint64(2 ** 64 - 1), "negative": np.int64(-2 ** 63), "long": np.bytes_(b"x" * 60000),
    "compound": np.zeros((), [("a", "i4")]), "boolean": True, "complex": np.complex64(1), "small": np.float16(1),
}


def names_of_data_sets(file):
    names = []
    file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    return names


def odd_files(whole, folder):
    """@param whole an HDF5 file of ours; its seal is the fuzz target's business"""
    folder.mkdir()
    shutil.copy(whole, folder / "whole.h5")
    with h5py.File(whole) as file:
        edits = [(name, what) for name in names_of_data_sets(file) for what in ODD_DATA_SETS]
        attribute_edits = [(name, what) for name in file.attrs for what in ODD_ATTRIBUTES]
    for number, (name, what) in enumerate(edits + attribute_edits):
        path = folder / f"{name.replace('/', '-')}-{what}.h5"
        shutil.copy(whole, path)
        with h5py.File(path, "r+") as file:
            if number < len(edits):
                data = file[name][()]
                del file[name]
                ODD_DATA_SETS[what](file, name, data)
            else:
                del file.attrs[name]
                if ODD_ATTRIBUTES[what] is not None:
                    file.attrs[name] = ODD_ATTRIBUTES[what]


def png_seeds(folder):
    folder.mkdir()
    for number, kind in enumerate(KINDS * 4):
        data = Png(*random.choice([(1, 1), (7, 9), (5, 3)]), *kind, number % 2).bytes()
        # The target takes its choices from the end: 0 a file as it is, 1 with checksums made right.
        (folder / f"{number}.png").write_bytes(data + bytes([number % 2]))


def jpeg_seeds(folder):
    folder.mkdir()
    exif = Image.Exif()
    exif[274] = 6
    for number, (mode, size) in enumerate((mode, size) for mode in ("L", "RGB", "CMYK") for size in ((1, 1), (17, 9))):
        pixels = random.randbytes(size[0] * size[1] * len(mode))
        for options in ({}, {"progressive": True}, {"exif": exif}):
            name = folder / f"{number}-{'-'.join(options)}.jpg"
            Image.frombytes(mode, size, pixels).save(name, quality=90, **options)


def idx_seeds(folder):
    """As the target takes them: the texts from the front, the choices from the end."""
    folder.mkdir()
    images = b"\0\0\x08\3" + struct.pack(">3I", 2, 3, 2) + bytes(range(12))
    labels = b"\0\0\x08\1" + struct.pack(">I", 2) + b"\0\1"
    for number, parts in enumerate([(images, labels), (gzip.compress(images), labels)]):
        text = b"".join(part.replace(b"\\", b"\\\\") + b"\\x" for part in parts)
        (folder / str(number)).write_bytes(text + bytes([0, 0, 0, 0, 0, 0, 0, 0, 1]))


def config_seeds(folder, run):
    folder.mkdir()
    for path in (run / "config.toml", *(ROOT / "jobs" / "recipes").glob("*.toml")):
        shutil.copy(path, folder / path.name)


def main():
    programs, folder = map(Path, sys.argv[1:])
    random.seed(1)
    np.seterr(all="ignore")  # numbers that do not fit their odd types
    digits, data, run = folder / "digits", folder / "digits.h5", folder / "run"
    for command in (("h5pack", "synth", digits, "--training", "20", "--testing", "10"),
                    ("h5pack", "pack", digits, data, "--size", "5x4", "--gzip", "1"),
                    ("mnist-dist", "train", data, "-o", run, "--hidden", "3", "--epochs", "2", "--shards", "2",
                     "--optimizer", "adam", "--average", "0.9")):
        subprocess.run([programs / command[0], *command[1:]], check=True, stdout=subprocess.DEVNULL)
    png_seeds(folder / "png")
    jpeg_seeds(folder / "jpeg")
    idx_seeds(folder / "idx")
    config_seeds(folder / "config", run)
    for target, whole in (("model", run / "model.h5"), ("checkpoint", next((run / "checkpoints").glob("*.h5"))),
                          ("dataset", data)):
        (folder / target).mkdir()
        odd_files(whole, folder / f"{target}-files")


if __name__ == "__main__":
    main()
