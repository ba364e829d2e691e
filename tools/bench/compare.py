"""Runs mnist-dist and its peers in turns, and prints and writes the table.

In each round every system runs once, in a process of its own. A round's figure of a system is the median of its
epochs after the first; the table has the median of the rounds.

Usage: compare.py [--rounds N] [--epochs N] [--only NAMES] [--large] [--output FILE] DATA      (see tools/bench/run)
"""

import argparse
import sys
from pathlib import Path

import machine
from markdown_table import markdown
from systems import BUILD, NotWorking, Problem, all_systems, missing


def main():
    """Measures, prints, writes."""
    systems = all_systems(machine.cores())
    arguments = parsed_arguments(systems)
    if arguments.only:
        systems = [system for system in systems if system.name in arguments.only]
    problem = chosen_problem(arguments)

    results, failures, busy_cores = measured(systems, problem, arguments.rounds)
    if not results:
        sys.exit("error: nothing could be measured")
    text = markdown(problem, busy_cores, systems, results, failures)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(text, encoding="utf-8")
    print(f"\n{text}\nwritten to {arguments.output}")


def parsed_arguments(systems):
    """The command line, checked."""
    parser = argparse.ArgumentParser(usage="tools/bench/run [OPTION...] DATA", add_help=False)
    parser.add_argument("data", metavar="DATA", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--only", type=lambda names: names.split(","), default=[])
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--output", metavar="FILE", type=Path)
    arguments = parser.parse_args()
    names = [system.name for system in systems]
    unknown = [name for name in arguments.only if name not in names]
    if unknown:
        parser.error(f"--only {','.join(unknown)}: no such system; there are {', '.join(names)}")
    if arguments.rounds < 1 or arguments.epochs < 2:
        parser.error("--rounds must be at least 1, and --epochs at least 2, since the first is a warm-up")
    if not arguments.data.is_file():
        parser.error(f"{arguments.data}: no such file; h5pack makes it")
    arguments.output = arguments.output or BUILD / "bench" / f"comparison{'-large' * arguments.large}.md"
    return arguments


def chosen_problem(arguments):
    """The network and batch of mnist-dist's defaults, or the large ones."""
    if arguments.large:
        return Problem(arguments.data, arguments.epochs, hidden="2048,2048", batch_size=512)
    return Problem(arguments.data, arguments.epochs)


def measured(systems, problem, rounds):
    """Runs the rounds. Who fails once is left out from then on.

    Returns system's name -> a Result per round; system's name -> why it does not work; and the most cores that others
    used when a round began.
    """
    failures = {system.name: f"no {' and no '.join(missing(system))} for Python" for system in systems
                if missing(system)}
    results = {system.name: [] for system in systems if system.name not in failures}
    busy_cores = 0
    for number in range(1, rounds + 1):
        busy_cores = max(busy_cores, machine.busy_cores())
        for system in [system for system in systems if system.name in results]:
            print(f"round {number}/{rounds}  {system.title:36}", end="", flush=True)
            try:
                result = system.run(problem)
                results[system.name].append(result)
                print(in_words(result))
            except NotWorking as error:
                failures[system.name] = str(error)
                del results[system.name]
                print(f"  not working: {error}")
    return results, failures, busy_cores


def in_words(result):
    """The figures of one process. The loss shows that the systems learn the same."""
    way = f"  ({result.way})" if result.way else ""
    return f"{result.epoch_seconds():9.3f} s/epoch, last loss {result.losses[-1]:.4f}{way}"


if __name__ == "__main__":
    main()
