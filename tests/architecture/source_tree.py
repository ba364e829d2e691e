"""What the checks of this folder share: the files of a source tree, and what they include."""

import re
import subprocess
import sys
from pathlib import Path

SKIPPED = 77  # the exit code that tells CTest that a check could not run here

# Lines that a comment or a string holds begin otherwise: no source of this project has them inside a raw string.
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")')


class Include:
    """One #include line: `name` as written, `quoted` for "..." (not <...>)."""

    def __init__(self, path, line, name, quoted):
        self.path, self.line, self.name, self.quoted = path, line, name, quoted

    def __str__(self):
        return f"{self.path}:{self.line}: includes {self.name}"


def tracked_files(root):
    """The files that git tracks, relative to root; of a tree that is no git work tree, all files."""
    listing = subprocess.run(["git", "-C", str(root), "ls-files", "-z"], capture_output=True, check=False) \
        if (root / ".git").exists() else None
    if listing is not None and listing.returncode == 0:
        names = [Path(name) for name in listing.stdout.decode().split("\0") if name]
        return sorted(name for name in names if (root / name).is_file())
    return sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())


def sources(root, *folders):
    """The C++ files under the folders, relative to root."""
    found = []
    for folder in folders:
        found += [path for path in (root / folder).rglob("*") if path.suffix in (".cpp", ".hpp", ".h")]
    return sorted(path.relative_to(root) for path in found)


def includes(root, path):
    """The Include lines of one file (path relative to root)."""
    for number, line in enumerate((root / path).read_text(encoding="utf-8").splitlines(), start=1):
        match = INCLUDE.match(line)
        if match:
            yield Include(path, number, match.group(1) or match.group(2), match.group(2) is not None)


def finish(problems, what):
    """Prints the problems and ends the check: with 1 where there are any, else with 0."""
    for problem in problems:
        print(problem)
    print(f"{what}: {len(problems)} problem{'' if len(problems) == 1 else 's'}")
    sys.exit(1 if problems else 0)


def root_argument():
    """The tree to check: the script's only argument."""
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} ROOT")
    return Path(sys.argv[1]).resolve()
