"""The pages with what is made here: which regions they must have, and what is stale in them."""

import os

from . import accuracy, headlines, times, tour
from .masks import difference
from .regions import regions, with_regions
from .workshop import ROOT

NAMES = {*tour.NAMES, *accuracy.NAMES, *times.NAMES, *headlines.NAMES}


def read():
    """name -> text of every page, such as "tools/README.md"."""
    paths = [ROOT / "README.md", *sorted(ROOT.glob("*/README.md"))]
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths}


def check_names(pages):
    """ValueError unless the pages have each region that is made here once, and no other."""
    found = set(regions(pages))
    if found != NAMES:
        raise ValueError(f"{', '.join(pages)}: unknown regions: {', '.join(sorted(found - NAMES)) or 'none'}; "
                         f"missing: {', '.join(sorted(NAMES - found)) or 'none'}")


def differences(pages, texts):
    """A diff for every one of these regions that is stale in its page."""
    old = regions(pages)
    return [found for name, new in texts.items() if (found := difference(name, old[name], new))]


def write(texts):
    """Puts these regions into their pages: of each page the old file or the new one, never a part."""
    for name, old in read().items():
        new = with_regions(old, texts)
        if new != old:
            partial = ROOT / f"{name}.partial"
            partial.write_text(new, encoding="utf-8")
            os.replace(partial, ROOT / name)
