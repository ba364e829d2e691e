"""Tests compare computed floats with tests/unit/float_comparison.hpp only, since other ways let through what is not a
number.

Usage: check_float_comparisons.py ROOT
"""

import re
from pathlib import Path

from source_tree import finish, root_argument, sources

HELPER = Path("tests/unit/float_comparison.hpp")

COMMENT = re.compile(r"//.*")
ABSOLUTE = re.compile(r"\bf?abs\(")
# As clang-format leaves them: operators stand between spaces, the brackets of templates do not.
COMPARISON = re.compile(r"\b(CHECK|REQUIRE|WARN)\w*\(| (<|>|<=|>=|==|!=) ")
LOOP_HEAD = re.compile(r"\bfor \([^;{}]*;[^;{}]*;[^{};]*?\) ")
RUNNING_MAXIMUM = re.compile(r"(\S+) = std::(?:max|min)\(\1, .*(abs|difference|error)")


def problem_with(statement):
    """What is wrong with one statement, or None."""
    if "doctest::Approx" in statement or re.search(r"(?<![\w:])Approx\(", statement):
        return "doctest::Approx: `!=` with it is true of what is not a number"
    if RUNNING_MAXIMUM.search(statement):
        return "a maximum of errors: std::max leaves out what is not a number; larger_error() does not"
    if ABSOLUTE.search(statement) and COMPARISON.search(statement):
        return "an absolute value that is compared: difference() is meant for it"
    return None


def statements(text):
    """The statements of a file, each on one line and with the number of its first line. Strings that hold a semicolon
    or a brace only divide more finely; the heads of counting loops are left out."""
    lines = [COMMENT.sub("", line) for line in text.splitlines()]
    code = "\n".join(lines)
    code = LOOP_HEAD.sub(lambda head: re.sub(r"[^\n]", " ", head.group()), code)
    start = 0
    for end in [match.end() for match in re.finditer(r"[;{}]", code)] + [len(code)]:
        piece = code[start:end]
        leading = len(piece) - len(piece.lstrip())
        if piece.strip():
            yield code.count("\n", 0, start + leading) + 1, " ".join(piece.split())
        start = end


def main():
    root = root_argument()
    files = [path for path in sources(root, "tests/unit", "tests/mpi") if path != HELPER]
    problems = [] if files else [f"{root}: no tests"]
    for path in files:
        for line, statement in statements((root / path).read_text(encoding="utf-8")):
            problem = problem_with(statement)
            if problem:
                problems.append(f"{path}:{line}: {problem}")
    finish(problems, f"comparisons of floats in {len(files)} files")


if __name__ == "__main__":
    main()
