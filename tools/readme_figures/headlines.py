"""The figures of the front page. Each is taken from a table of another page, so that no two can differ."""

NAMES = ("fast", "peers", "accurate")


def make(found):
    """name -> text. found: the regions of all pages."""
    times, accuracies = rows("times", found), rows("accuracy", found)
    own, own_alone = (cell(times, f"mnist-dist, {ranks}")[0] for ranks in ("2 ranks", "1 rank"))
    ways = ("compiled, 2 threads", "DDP with gloo, 2 processes")
    alone, together = (cell(times, f"PyTorch, {way}")[0] for way in ways)
    *_, median, seconds = cell(accuracies, "`accurate`")
    return {"fast": f"{own} s with 2 ranks and {own_alone} s with one",
            "peers": f"{alone} s with 2 threads and {together} s with DDP's 2 processes",
            "accurate": f"{median} % of the test images in {seconds} seconds"}


def rows(name, found):
    """The cells of a region's table, row by row."""
    return [[text.strip() for text in line.strip("|").split("|")]
            for line in found[name].splitlines() if line.startswith("|")]


def cell(table, title):
    """The cells behind a row's title. ValueError where there is no such row."""
    for first, *others in table:
        if first == title:
            return others
    raise ValueError(f"the front page wants a row '{title}', and no table has one")
