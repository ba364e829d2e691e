"""shellcheck has nothing to say about the shell scripts of tools, jobs, tests/arm and .ci.

Usage: check_shell.py ROOT
"""

import re
import shutil
import subprocess
import sys

from source_tree import SKIPPED, finish, root_argument, tracked_files

SHELL = re.compile(rb"#!\s*\S*[/ ](ba|da)?sh\b")


def is_script(root, path):
    """Whether a file lies directly in a folder of scripts and begins as one."""
    if path.parent.as_posix() not in ("tools", "tools/bench", "jobs", "tests/arm", ".ci"):
        return False
    with open(root / path, "rb") as file:
        return bool(SHELL.match(file.readline()))


def main():
    root = root_argument()
    if shutil.which("shellcheck") is None:
        print("shellcheck is not installed")
        sys.exit(SKIPPED)
    scripts = [str(path) for path in tracked_files(root) if is_script(root, path)]
    if not scripts:
        finish([f"{root}: no scripts"], "shell")
    run = subprocess.run(["shellcheck", "--external-sources", "--format=gcc", *scripts], cwd=root,
                         capture_output=True, text=True, check=False)
    problems = (run.stdout + run.stderr).splitlines()
    finish(problems, f"shell in {len(scripts)} scripts")


if __name__ == "__main__":
    main()
