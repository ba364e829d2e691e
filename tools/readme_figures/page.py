"""README.md: which regions it must have, and what is stale in it."""

import os
from pathlib import Path

from . import accuracy, times, tour
from .masks import difference
from .regions import regions, with_regions
from .workshop import ROOT

README = ROOT / "README.md"
NAMES = {*tour.NAMES, *accuracy.NAMES, *times.NAMES}


def read():
    """The whole text."""
    return README.read_text(encoding="utf-8")


def check_names(text):
    """ValueError unless the page has each region that is made here, and no other."""
    found = set(regions(text))
    if found != NAMES:
        raise ValueError(f"README.md: unknown regions: {', '.join(sorted(found - NAMES)) or 'none'}; "
                         f"missing: {', '.join(sorted(NAMES - found)) or 'none'}")


def differences(text, texts):
    """A diff for every one of these regions that is stale in the page."""
    old = regions(text)
    return [found for name, new in texts.items() if (found := difference(name, old[name], new))]


def write(texts):
    """Puts these regions into README.md: the old file or the new one, never a part."""
    partial = Path(f"{README}.partial")
    partial.write_text(with_regions(read(), texts), encoding="utf-8")
    os.replace(partial, README)
