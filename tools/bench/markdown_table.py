"""The comparison as Markdown: what was measured on what, a row per system, and remarks."""

import platform
import statistics

import machine

REFERENCE = "mnist-dist-2"  # the last column says how many times its seconds a system takes


def markdown(problem, busy_cores, systems, results, failures):
    """The whole text. results: system's name -> a Result per round; failures: system's name -> why it has none."""
    rounds = max(map(len, results.values()))
    lines = [f"{task(problem, rounds)} {circumstances(busy_cores, results)}", "",
             "| System | s / epoch (median of rounds) | lowest to highest | times mnist-dist, 2 ranks |",
             "|---|---|---|---|"]
    lines += [row(system, results) for system in systems if system.name in results]
    lines += remarks(systems, results, failures)
    return "\n".join(lines) + "\n"


def task(problem, rounds):
    """What the figures are."""
    layers = problem.hidden.replace(",", "-")
    return (f"Seconds per epoch over all training rows of `{problem.data.name}`: hidden layers {layers}, batch "
            f"{problem.batch_size}, leaky ReLU, dropout, AdaMax, fp32. The systems ran in turns, {rounds} times each, "
            f"for a warm-up epoch and {problem.epochs - 1} that count; a run's figure is their median. The last column "
            f"is the median of the rounds' own ratios.")


def circumstances(busy_cores, results):
    """On what they were measured."""
    busy = "" if busy_cores < machine.BUSY else \
        f", NOT idle: others used up to {busy_cores:.1f} of them when a round began"
    software = dict.fromkeys(f"{result.software}, {result.blas}" for runs in results.values() for result in runs)
    return (f"{machine.cores()} cores of {machine.processor()}{busy}; "
            f"{'; '.join([*software, f'Python {platform.python_version()}'])}.")


def row(system, results):
    """One system."""
    seconds = [result.epoch_seconds() for result in results[system.name]]
    return (f"| {system.title} | {statistics.median(seconds):.3f} | {min(seconds):.3f} to {max(seconds):.3f} "
            f"| {times_reference(seconds, results.get(REFERENCE))} |")


def times_reference(seconds, reference):
    """The median of the rounds' own ratios, since a machine's speed changes between rounds."""
    if not reference:
        return "–"
    return f"{statistics.median(own / other.epoch_seconds() for own, other in zip(seconds, reference)):.2f}"


def remarks(systems, results, failures):
    """What a reader must know besides: a list, or nothing."""
    texts = list(dict.fromkeys(system.remark for system in systems if system.name in results and system.remark))
    texts += [f"{system.title}: not measured: {failures[system.name]}" for system in systems
              if system.name in failures]
    return ["", *(f"- {text}" for text in texts)] if texts else []
