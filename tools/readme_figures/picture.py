"""The front page's picture: the top of a report, in Debian's Chromium. Needs chromium and python3-pil."""

import os

from PIL import Image

from .workshop import ROOT, NotWorking

PICTURE = ROOT / ".github" / "report.png"
SIZE = 1200, 790
COLOURS = 48  # more look the same
MOST_BYTES = 60_000


def make(workshop):
    """Trains, reports, and leaves the picture where the front page looks for it."""
    workshop.pack()
    workshop.output("mpirun -np 2 mnist-dist train --recipe fast -o mnist")
    workshop.output("mnist-dist report mnist")
    workshop.output(["chromium", "--headless=new", "--disable-gpu", "--hide-scrollbars",
                     "--force-device-scale-factor=1", f"--window-size={SIZE[0]},{SIZE[1]}", "--screenshot=report.png",
                     *["--no-sandbox"] * (os.geteuid() == 0), f"file://{workshop.folder}/mnist/report.html"])
    with Image.open(workshop.folder / "report.png") as shot:
        shot.convert("RGB").quantize(COLOURS).save(PICTURE, optimize=True)
    size = PICTURE.stat().st_size
    if size > MOST_BYTES:
        raise NotWorking(f"{PICTURE}: {size} bytes, more than {MOST_BYTES}")
