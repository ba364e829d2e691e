"""Every header has a guard, and a public header whose source lies at the mirrored place is what that source includes
first: so it leans on no other, and needs no compilation of its own (headers_alone.cmake takes those that are left).

Usage: check_headers.py ROOT
"""

from pathlib import Path

from source_tree import finish, includes, root_argument, sources


def source_of(header):
    """src/nn/network.cpp for include/mnist_dist/nn/network.hpp."""
    return Path("src", *header.parts[2:]).with_suffix(".cpp")


def problems_with(root, header):
    is_included_often = header.stem.endswith("-inl")  # by Highway, once for each kind of vectors
    if not is_included_often and "\n#pragma once\n" not in "\n" + (root / header).read_text(encoding="utf-8"):
        yield f"{header}: no #pragma once"
    source = source_of(header)
    if header.parts[0] == "include" and (root / source).is_file():
        first = next(includes(root, source), None)
        if first is None or Path("include", first.name) != header:
            yield f"{source}: does not include {Path(*header.parts[1:])} before all others"


def main():
    root = root_argument()
    headers = [path for path in sources(root, "include", "src", "tools") if path.suffix == ".hpp"]
    problems = [] if headers else [f"{root}: no headers"]
    for header in headers:
        problems += problems_with(root, header)
    finish(problems, f"{len(headers)} headers")


if __name__ == "__main__":
    main()
