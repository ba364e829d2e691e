"""Layers include only downwards: each file of a layer includes its own layer and those below it.

Usage: check_layers.py ROOT
"""

from pathlib import Path

from source_tree import finish, includes, root_argument, sources

# From the bottom to the top. Layers of one level know nothing of each other.
LEVELS = [
    ["core"],
    ["h5", "blas", "image"],
    ["data", "nn", "optim", "comm"],
    ["train"],
    ["run", "bench"],
    ["report"],
    ["cli"],
]
LEVEL_OF = {layer: level for level, layers in enumerate(LEVELS) for layer in layers}

# What stands outside the layers, and which of them it may include.
PROGRAMS = {
    Path("src/main.cpp"): set(LEVEL_OF),
    Path("tools/h5pack"): {"core", "h5", "image", "data"},
}


def allowed_layers(path):
    """The layers that a file may include; None where the file is at no place that the design knows."""
    for place, layers in PROGRAMS.items():
        if path == place or place in path.parents:
            return layers
    parts = path.parts
    if parts[0] == "src" and len(parts) > 2:
        layer = parts[1]
    elif parts[:2] == ("include", "mnist_dist") and len(parts) > 3:
        layer = parts[2]
    else:
        return None
    if layer not in LEVEL_OF:
        return None
    return {layer} | {other for other, level in LEVEL_OF.items() if level < LEVEL_OF[layer]}


def problem_with(root, include, allowed):
    """What is wrong with one include, or None."""
    parts = Path(include.name).parts
    if parts[0] == "mnist_dist":
        if len(parts) < 3 or parts[1] not in LEVEL_OF:
            return f"{include}: no layer of that name"
        if parts[1] not in allowed:
            return f"{include}: layer {parts[1]} is not below it"
        if not (root / "include" / include.name).is_file():
            return f"{include}: no such header"
    elif include.quoted and (".." in parts or not (root / include.path).parent.joinpath(include.name).is_file()):
        return f"{include}: neither a public header nor one that lies beside it"
    return None


def main():
    root = root_argument()
    files = sources(root, "include", "src", "tools")
    problems = [] if files else [f"{root}: no sources"]
    for path in files:
        allowed = allowed_layers(path)
        if allowed is None:
            problems.append(f"{path}: belongs to no layer")
            continue
        problems += filter(None, (problem_with(root, include, allowed) for include in includes(root, path)))
    finish(problems, f"layers of {len(files)} files")


if __name__ == "__main__":
    main()
