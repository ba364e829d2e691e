"""The list of faults, read from faults/<layer>.toml."""

import tomllib
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One change of one file. The tests are named as Workshop.outcome takes them."""

    layer: str
    name: str
    file: str
    find: str
    replace: str
    tests: tuple
    equivalent: str = ""  # why no test can notice, where that is so

    def __str__(self):
        return f"{self.layer}: {self.name}"

    def fits(self, root):
        """Whether the text to be replaced stands exactly once in its file."""
        path = root / self.file
        return path.is_file() and path.read_text(encoding="utf-8").count(self.find) == 1


def load_faults(root):
    faults = []
    for path in sorted((root / "tests" / "mutation" / "faults").glob("*.toml")):
        with path.open("rb") as file:
            entries = tomllib.load(file)["fault"]
        for entry in entries:
            faults.append(Fault(layer=path.stem, **{**entry, "tests": tuple(entry["tests"])}))
    return faults
