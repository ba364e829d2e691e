"""What a machine, a build or an hour changes in a region is masked, so that the rest can be compared."""

import difflib
import re

MASKS = [(re.compile(pattern, re.MULTILINE), mask) for pattern, mask in (
    (r"runs/\d{4}-\d\d-\d\dT[\d-]+Z", "runs/TIME"),
    (r"^( +\d+(?: +[\d.]+){2} +[\d.]+ %).*?(  best)?$", r"\1 TIMES\2"),  # a line of an epoch
    (r"kernels [\w-]+, BLAS core \w+", "kernels VECTORS, BLAS core CORE"),
    (r"BLAS core \w+", "BLAS core CORE"),
    (r"(GCC|Clang) [\d.]+", "COMPILER"),
    (r"(executable|build id) [0-9a-f]+", "EXECUTABLE"),
    (r"^[0-9a-f]{64}(?=  \S+model\.h5$)", "SHA-256"),  # of a model, which names the executable
    (r"^[\d.]+ s, [\d.]+ MB$", "TIME, SIZE"),
    (r"to its end, with\n.*$", "CIRCUMSTANCES"),
    (r"\| [\d to]+ \|$", "| SECONDS |"),
    (r"^[\d.]+ minutes with .*$", "CIRCUMSTANCES"),
)]
ALL_MACHINE = ("machine",)                                          # says nothing else
# Every number is a time, or follows from one; so do, in a prediction, what hosts send each other and how many ranks are
# the best.
ALL_TIMES = ("bench", "bench-predict", "times", "times-large", "times-steps", "times-run")


def masked(name, text):
    """The part of a region that is the same everywhere."""
    if name in ALL_MACHINE:
        return ""
    if name in ALL_TIMES:
        return re.sub(r" +", " ", re.sub(r"\d[\d.]*|(?<=%) [ag]", "N", re.sub(r"\branks?\b", "RANKS", text)))
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return text


def difference(name, old, new):
    """A diff of what is stale in a region; empty where nothing is."""
    lines = [masked(name, text).splitlines() for text in (old, new)]
    return "\n".join(difflib.unified_diff(*lines, f"{name} in its page", f"{name} made anew", lineterm="", n=1))
