"""The front page's output, the tour, the Python excerpt and `bench`: what takes less than a minute."""

import json
import re
import shutil
import signal
import subprocess
import sys

from .regions import block, cut
from .workshop import NotWorking, cores

TRIES = 20  # of killing a run in its third epoch, which is short
HEADER = (r"\$", "mnist-dist ", "network", "data", "images", "recipe", "steps", "ranks", "products", "run ")
END = (r"\d+ epochs? done", "the score has", "the loss has", "best ", "model ")
PYTHON = re.compile(r"```python\n(.*?)```\n", re.DOTALL)


def make(workshop, found):
    """name -> text of every region that this module makes. found: those of the pages, with the excerpt's code."""
    console = workshop.console
    pack = console("h5pack pack digits mnist.h5", "h5pack verify mnist.h5")
    train = cut(console("mnist-dist launch -np 2 -- train --recipe fast"), *HEADER, "epoch ", r" +[123] ",
                r" +(59|60) ", *END)
    evaluate = cut(console("mnist-dist evaluate"), r"\$", r"\S+ on the", r"\d+ of", "class", r"[01] ", "overall",
                   "Confusion",
                   r" +0 +1", "report")
    more = console("mnist-dist predict runs/latest digits/testing/7/0.png digits/testing/7/111.png",
                   "mnist-dist info runs/latest/model.h5")
    accuracies = report_accuracies(workshop)
    python = excerpt(workshop, found["excerpt"])
    # From here on, the newest run is another one.
    tutorial = cut(console("mnist-dist launch -np 2 -- train", "mnist-dist evaluate"), r"\$", "recipe", "steps",
                   "epoch ", r" +[123] ", *END, r"\d+ of")
    return {
        "machine": cores(),
        "tour-pack": block(pack, "console"),
        "tour-train": block(train, "console"),
        "tour-evaluate": block(f"{evaluate}\n{more}", "console"),
        "tour-tutorial": block(tutorial, "console"),
        "report-accuracies": accuracies,
        "excerpt": python,
        "front": block(front(workshop, pack, train, evaluate), "console"),
        "bench": block(bench(workshop), "console"),
        "bench-predict": block(cut(workshop.console("mnist-dist launch -np 2 -- bench --predict"), "(?!mnist-dist: )"),
                               "console"),
    }


NAMES = ("machine", "tour-pack", "tour-train", "tour-evaluate", "tour-tutorial", "report-accuracies", "excerpt",
         "front", "bench", "bench-predict")


def front(workshop, pack, train, evaluate):
    """The promises in a few lines: the run that was not disturbed, the one that was, both models, and an error."""
    model = re.search(r"^model +(\S+)$", train, re.MULTILINE)[1]
    wrong = "mnist-dist train --optimizer adamw"
    return "\n".join([cut(pack, r"\$ h5pack pack", r"mnist\.h5: \d"),
                      cut(train, r"\$", "mnist-dist ", "network", "recipe", "ranks", "best ", "model "),
                      cut(evaluate, r"\$", r"\d+ of"),
                      broken_run(workshop) + workshop.console(f"sha256sum {model} runs/broken/model.h5")
                      + f"$ {wrong}\n{workshop.error(wrong)}"])


def report_accuracies(workshop):
    """The two accuracies of report.json."""
    report = json.loads((workshop.folder / "runs/latest/report.json").read_text(encoding="utf-8"))
    return f"{report['breakdown']['overall']['accuracy']:.4f} against {report['exact accuracy']['accuracy']:.4f}"


def excerpt(workshop, text):
    """The Python program as it stands in the page, and what it prints here."""
    code = PYTHON.search(text)
    return block(code[1], "python") + block(run_excerpt(workshop, code[1]))


def run_excerpt(workshop, code):
    """What the program prints in the workshop's folder, by this Python."""
    return workshop.output([sys.executable, "-c", code])


def broken_run(workshop):
    """The run that is killed in its third epoch and resumed with three ranks."""
    train = "mnist-dist launch -np 2 -- train --recipe fast -o runs/broken"
    resume = "mnist-dist launch -np 3 -- train --resume runs/broken"
    for _ in range(TRIES):
        kill_after_epoch(workshop, train, 2)
        resumed = cut(workshop.output(resume), "run ", "best ", "model ")
        if "resumed in epoch 3 after 0 of its steps" in resumed:
            return f"$ {train} &\n…\n$ pkill -9 mnist-dist\n$ {resume}\n{resumed}\n"
        shutil.rmtree(workshop.folder / "runs/broken")
    raise NotWorking(f"no run could be killed in its third epoch, in {TRIES} tries")


def kill_after_epoch(workshop, command, epoch):
    """Kills launch and the ranks when the line of this epoch appears."""
    process = workshop.start(command, stderr=subprocess.DEVNULL)
    for line in process.stdout:
        if re.match(rf" +{epoch} ", line):
            workshop.signal_programs(process, signal.SIGKILL)
            break
    process.communicate()


def bench(workshop):
    """Where the time of a step goes."""
    return cut(workshop.console("mnist-dist launch -np 2 -- bench"), r"\$", "a step", "load", "forward", "backward",
               "gradient", "update", "wait", "exchange", "MPI_Allreduce", "tree", "limit",
               "the step takes")
