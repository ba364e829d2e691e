"""The marked regions of a page: `<!-- figures: NAME -->` and `<!-- /figures -->` around what a program makes."""

import re

REGION = re.compile(r"(?P<start><!-- figures: (?P<name>\S+) -->)(?P<text>.*?)(?P<end><!-- /figures -->)", re.DOTALL)
MARK = re.compile(r"<!-- /?figures\b.*?-->")


def regions(pages):
    """name -> text, of pages by their names. ValueError where marks are not in pairs, or two regions have one name."""
    found = []
    for page, text in pages.items():
        inside = [(match["name"], match["text"]) for match in REGION.finditer(text)]
        if len(MARK.findall(text)) != 2 * len(inside):
            raise ValueError(f"{page}: the marks of the regions are not in pairs")
        found += inside
    names = [name for name, _ in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"more than one region is named {', '.join(twice)}")
    return dict(found)


def with_regions(page, texts):
    """A page's text with these regions made anew; the others stay."""
    return REGION.sub(lambda match: match["start"] + texts.get(match["name"], match["text"]) + match["end"], page)


def block(text, language=""):
    """A fenced block between the marks."""
    return f"\n```{language}\n{text.rstrip()}\n```\n"


def cut(text, *kept):
    """The lines that begin with one of these expressions. `…` stands for what lay between them; an empty line stays
    between lines that stay."""
    lines, was_kept, was_empty = [], True, False
    for line in text.splitlines():
        if not line:
            was_empty = True
            continue
        keep = any(re.match(expression, line) for expression in kept)
        if keep and was_kept and was_empty:
            lines.append("")
        if keep:
            lines.append(line)
        elif was_kept:
            lines.append("…")
        was_kept, was_empty = keep, False
    return "\n".join(lines)
