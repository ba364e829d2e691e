"""Every C++ file is as clang-format leaves it.

Usage: check_format.py ROOT
"""

import shutil
import subprocess
import sys

from source_tree import SKIPPED, finish, root_argument, tracked_files


def main():
    root = root_argument()
    if shutil.which("clang-format") is None:
        print("clang-format is not installed")
        sys.exit(SKIPPED)
    files = [str(path) for path in tracked_files(root)
             if path.suffix in (".cpp", ".hpp") and not path.parts[0].startswith("build")]
    if not files:
        finish([f"{root}: no sources"], "format")
    run = subprocess.run(["clang-format", "--dry-run", "-Werror", *files], cwd=root, capture_output=True, text=True,
                         check=False)
    spoiled = sorted({line.split(":")[0] for line in run.stderr.splitlines() if ": error: " in line})
    problems = [f"{path}: not as clang-format leaves it (clang-format -i mends it)" for path in spoiled]
    if run.returncode != 0 and not problems:
        problems = [run.stderr.strip() or f"clang-format ended with {run.returncode}"]
    finish(problems, f"format of {len(files)} files")


if __name__ == "__main__":
    main()
