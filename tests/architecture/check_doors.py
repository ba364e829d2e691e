"""Each foreign library stays behind its door: its header is included in one folder, and in no public header.

Usage: check_doors.py ROOT
"""

import re
from pathlib import Path

from source_tree import finish, includes, root_argument, sources

# The library's headers, and the folders whose sources may include them. (With "hdf5.h" go the parts it consists of,
# and so on: a back door is no door.)
DOORS = [
    (r"hdf5(_hl)?\.h|H5.*\.h", ["src/h5"]),
    (r"mpi(-ext|io)?\.h", ["src/comm", "tests/e2e"]),  # the tests stand between a program and MPI
    (r"cblas.*\.h|openblas_config\.h|f77blas\.h|lapacke?\.h", ["src/blas"]),
    (r"spng\.h|png\.h|stb_image.*\.h|libexif/.*", ["src/image"]),
    (r"jpeglib\.h|jerror\.h|jmorecfg\.h|jconfig\.h|turbojpeg\.h",
     ["src/image", "tests/unit/image"]),  # the tests draw with it
    (r"CLI/.*", ["src/cli", "tools/h5pack"]),
    (r"hwy/.*", ["src/nn/kernels", "tests/e2e"]),  # the tests stand between a program and Highway
]

# A public header shows standard headers and the project's own, so that who includes it needs nothing else.
STANDARD = re.compile(r"[a-z0-9_]+")


def doors_of(name):
    """The folders that may include a header, or None for a header that has no door."""
    for pattern, folders in DOORS:
        if re.fullmatch(pattern, name):
            return folders
    return None


def problem_with(include):
    """What is wrong with one include, or None."""
    if include.name.startswith("mnist_dist/"):
        return None
    if include.path.parts[0] == "include":
        if STANDARD.fullmatch(include.name):
            return None
        return f"{include}: no public header may show another library"
    folders = doors_of(include.name)
    if folders is None or any(Path(folder) in include.path.parents for folder in folders):
        return None
    return f"{include}: only {' and '.join(folders)} may"


def main():
    root = root_argument()
    files = sources(root, "include", "src", "tools", "tests")
    problems = [] if files else [f"{root}: no sources"]
    for path in files:
        problems += filter(None, map(problem_with, includes(root, path)))
    finish(problems, f"doors to other libraries in {len(files)} files")


if __name__ == "__main__":
    main()
