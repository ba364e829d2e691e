"""The top of the tree holds what the project agreed on, and nothing else.

Usage: check_top_level.py ROOT
"""

from source_tree import finish, root_argument, tracked_files

AGREED = {"CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md", "include", "jobs", "src", "tests", "tools"}


def main():
    root = root_argument()
    present = {path.parts[0] for path in tracked_files(root)}
    # Dotfiles are the tools' own; build folders, data and runs are there in a copy without git only.
    strange = {name for name in present - AGREED
               if not name.startswith((".", "build")) and name not in ("runs", "mnist.h5")}
    problems = [f"{name}: not agreed on for the top of the tree" for name in sorted(strange)]
    problems += [f"{name}: missing" for name in sorted(AGREED - present)]
    finish(problems, f"{len(present)} entries at the top")


if __name__ == "__main__":
    main()
