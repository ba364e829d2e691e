"""The pages: each link leads to a file and a heading that are there, README.md is short, and so are all lines.

Usage: check_pages.py ROOT
"""

import os
import re

from source_tree import finish, root_argument, tracked_files

FRONT_PAGE = "README.md"
FRONT_PAGE_BYTES = 10_000
LINE = 120

FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]*)\)")


def without_blocks(text):
    """The text, with as many empty lines where fenced blocks were."""
    return FENCE.sub(lambda block: "\n" * block[0].count("\n"), text)


def anchors(text):
    """The headings' names in links, as GitHub makes them: the second of two equal ones ends in -1."""
    found = {}
    for heading in HEADING.findall(text):
        name = re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        found[name] = found.get(name, -1) + 1
    return {f"{name}-{number}" if number else name for name, last in found.items() for number in range(last + 1)}


def problem_with(link, page, pages, places):
    """What is wrong with a link of a page, or None. places: all files and folders."""
    if re.match(r"[a-z]+:", link):
        return None
    path, _, anchor = link.partition("#")
    target = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
    if target not in places:
        return f"{target} is not there"
    if anchor and anchor not in anchors(pages.get(target, "")):
        return f"{target} has no heading '{anchor}'"
    return None


def problems_of(page, pages, places):
    """All that is wrong with a page. A row of a table cannot be broken, nor what a program printed."""
    text = pages[page]
    for match in LINK.finditer(text):
        problem = problem_with(match[1], page, pages, places)
        if problem:
            yield f"{page}:{text.count(chr(10), 0, match.start()) + 1}: {match[1]}: {problem}"
    for number, line in enumerate(text.splitlines(), start=1):
        if len(line) > LINE and not line.startswith("|"):
            yield f"{page}:{number}: {len(line)} characters, more than {LINE}"


def main():
    root = root_argument()
    files = tracked_files(root)
    pages = {str(path): without_blocks((root / path).read_text(encoding="utf-8"))
             for path in files if path.suffix == ".md"}
    places = {str(place) for path in files for place in (path, *path.parents)}
    problems = [] if FRONT_PAGE in pages else [f"{FRONT_PAGE} is not there"]
    for page in pages:
        problems += problems_of(page, pages, places)
    size = (root / FRONT_PAGE).stat().st_size if FRONT_PAGE in pages else 0
    if size >= FRONT_PAGE_BYTES:
        problems.append(f"{FRONT_PAGE}: {size} bytes, and a front page has less than {FRONT_PAGE_BYTES}")
    finish(problems, f"{len(pages)} pages")


if __name__ == "__main__":
    main()
