"""The data set and the settings of the reference trainings."""

import numpy as np
from philox import Stream
from training import Dataset

DEFAULTS = {
    "hidden": [100, 100, 100], "activation": "leaky-relu", "leaky-relu-slope": 0.1, "dropout": 0.2,
    "optimizer": "adamax", "learning-rate": 0.001, "beta1": 0.9, "beta2": 0.999, "momentum": 0.9,
    "schedule": "constant", "warmup-steps": 0, "decay": 0.1, "decay-every": 10, "output-l2": 0.0001,
    "weight-decay": 0, "clip-norm": 0, "label-smoothing": 0, "class-weights": "none", "average": 0,
    "rotation": 0, "scaling": 0, "shear": 0, "shift": 0, "elastic": 0, "elastic-smoothing": 5, "deviation-floor": 0,
    "batch-size": 100, "holdout": 0.1, "f-beta": 1, "epochs": 100, "shards": 8, "seed": 0,
}

# What all cases begin with: dropout, minibatches, a short last one, a holdout, several shards.
BASE = {"hidden": [6, 5], "dropout": 0.25, "learning-rate": 0.003, "batch-size": 18, "holdout": 0.2, "epochs": 3}

HEIGHT, WIDTH = 9, 8
CLASS_SIZES = (36, 24, 16)
BRIGHTEST = 120  # dark images have gentle slopes, so that fewer of their pixels come to lie near a half


def draw_image(label, stream):
    """A blurred bar: lying, standing or aslant, anywhere near the middle; the outermost rows of pixels are black."""
    x, y = np.meshgrid(np.arange(WIDTH) - (WIDTH - 1) / 2, np.arange(HEIGHT) - (HEIGHT - 1) / 2)
    along, across = {0: (x, y), 1: (y, x), 2: (x + y, x - y)}[label]
    offset = 3 * stream.uniform() - 1.5
    middle = 2 * stream.uniform() - 1
    length = 2 + 1.5 * stream.uniform()
    level = np.exp(-(across - offset)**2) * np.clip(length + 0.7 - np.abs(along - middle), 0, 1)
    noise = np.array([stream.uniform() for _ in range(x.size)]).reshape(x.shape)
    image = np.floor(BRIGHTEST * np.clip(level + 0.25 * (noise - 0.5) * (level > 0.02), 0, 1))
    image[0, :] = image[:, 0] = image[:, -1] = 0
    return image.astype(np.uint8)


def make_dataset():
    """Its classes are of uneven sizes, in no order. The program's purpose 0 is nobody's: no stream is used twice."""
    labels = [label for label, size in enumerate(CLASS_SIZES) for _ in range(size)]
    labels = Stream(7, 0, 0, 0).shuffled(labels)
    images = np.stack([draw_image(label, Stream(7, 0, 1, row)) for row, label in enumerate(labels)])
    return Dataset(images, labels, len(CLASS_SIZES), images.mean(axis=0, dtype=np.float64).astype(np.float32),
                   images.std(axis=0, dtype=np.float64).astype(np.float32))


FLOOR = {"deviation-floor": 8}  # with augmentation: or else pixels that are seldom lit become huge
SGD = {"optimizer": "sgd", "learning-rate": 0.02}

# A case is what it is about, and with what else. Ignoring any of the former must change the result.
CASES = {
    "defaults": ({"learning-rate": 0.003, "batch-size": 18, "dropout": 0.25}, {"shards": 8}),
    "hidden": ({"hidden": [4, 7, 5]}, {"shards": 7}),
    "no-hidden-layer": ({"hidden": []}, {"shards": 6}),
    "relu": ({"activation": "relu"}, {"shards": 5}),
    "gelu": ({"activation": "gelu"}, {"shards": 4}),
    "tanh": ({"activation": "tanh"}, {"shards": 3}),
    "sigmoid": ({"activation": "sigmoid"}, {"shards": 8}),
    "silu": ({"activation": "silu"}, {"shards": 7}),
    "leaky-relu-slope": ({"leaky-relu-slope": 0.35}, {"shards": 6}),
    "dropout": ({"dropout": 0.5}, {"shards": 5}),
    "no-dropout": ({"dropout": 0}, {"shards": 4}),
    "adam": ({"optimizer": "adam"}, {"shards": 8}),
    "adam-betas": ({"beta1": 0.6, "beta2": 0.9}, {"optimizer": "adam", "shards": 3}),
    "sgd": ({"optimizer": "sgd"}, {"learning-rate": 0.02, "shards": 7}),
    "momentum": ({"momentum": 0.5}, {**SGD, "shards": 6}),
    "learning-rate": ({"learning-rate": 0.002}, {"shards": 5}),
    "beta1": ({"beta1": 0.6}, {"shards": 4}),
    "beta2": ({"beta2": 0.8}, {"shards": 3}),
    "step": ({"schedule": "step", "decay": 0.4, "decay-every": 1}, {"shards": 8}),
    "decay-every": ({"decay-every": 2}, {"schedule": "step", "shards": 7}),
    "cosine": ({"schedule": "cosine"}, {"shards": 6}),
    "warmup-steps": ({"warmup-steps": 5}, {"shards": 5}),
    "output-l2": ({"output-l2": 0.5}, {"shards": 4}),
    "weight-decay": ({"weight-decay": 2}, {"shards": 3}),
    "clip-norm": ({"clip-norm": 0.6}, {**SGD, "output-l2": 0.1, "shards": 8}),
    "label-smoothing": ({"label-smoothing": 0.3}, {"shards": 7}),
    "class-weights": ({"class-weights": "balanced"}, {"shards": 6}),
    "smoothed-class-weights": ({"class-weights": "balanced", "label-smoothing": 0.3}, {"holdout": 0.35, "shards": 5}),
    "average": ({"average": 0.95}, {"shards": 6}),
    "short-average": ({"average": 0.4}, {"shards": 5}),
    "rotation": ({"rotation": 30}, {**FLOOR, "shards": 4}),
    "scaling": ({"scaling": 0.3}, {**FLOOR, "shards": 3}),
    "shear": ({"shear": 0.4}, {**FLOOR, "shards": 8}),
    "shift": ({"shift": 1.4}, {**FLOOR, "shards": 7}),
    "elastic": ({"elastic": 1.5}, {**FLOOR, "shards": 6}),
    "elastic-smoothing": ({"elastic-smoothing": 1.7}, {"elastic": 1.2, **FLOOR, "shards": 5}),
    "deviation-floor": ({"deviation-floor": 25}, {"shards": 4}),
    "batch-size": ({"batch-size": 13}, {"shards": 3}),
    "holdout": ({"holdout": 0.35}, {"shards": 8}),
    "no-holdout": ({"holdout": 0}, {"shards": 7}),
    "f-beta": ({"f-beta": 3}, {"shards": 6}),
    "shards": ({"shards": 3}, {}),
    "large-seed": ({}, {"shards": 5}),
    "short-last-batch": ({"batch-size": 20}, {"shards": 8}),
    # Two ranks have one and two shards, and elastic images take their time: one comes to the first layer later.
    "uneven-ranks": ({"elastic": 1}, {**FLOOR, "hidden": [6], "batch-size": 12, "shards": 3}),
    # All rows train, and the last epoch's average is the model.
    "model": ({"average": 0.9, "deviation-floor": 25}, {"holdout": 0, "shards": 8}),
    "everything": ({
        "hidden": [6, 5], "activation": "gelu", "dropout": 0.3, "optimizer": "adam", "learning-rate": 0.004,
        "beta1": 0.8, "beta2": 0.95, "schedule": "cosine", "warmup-steps": 3, "output-l2": 0.05, "weight-decay": 1,
        "clip-norm": 0.9, "label-smoothing": 0.2, "average": 0.8, "rotation": 15, "scaling": 0.15, "shear": 0.2,
        "shift": 0.7, "elastic": 0.7, "elastic-smoothing": 2, "deviation-floor": 12, "batch-size": 17,
        "holdout": 0.25, "f-beta": 2,
    }, {"shards": 8}),
    "everything-else": ({
        "hidden": [7], "leaky-relu-slope": 0.3, "dropout": 0.4, "optimizer": "sgd", "learning-rate": 0.02,
        "momentum": 0.7, "schedule": "step", "decay": 0.5, "decay-every": 1, "warmup-steps": 2, "output-l2": 0.2,
        "weight-decay": 0.3, "clip-norm": 1.5, "label-smoothing": 0.1, "average": 0.6, "rotation": 10,
        "scaling": 0.1, "shear": 0.1, "shift": 0.5, "elastic": 0.6, "elastic-smoothing": 1.5, "deviation-floor": 10,
        "batch-size": 15, "holdout": 0.3, "f-beta": 0.5,
    }, {"shards": 3}),
}

# The search for a seed begins here.
FIRST_SEEDS = {"large-seed": 2**40 + 1}


def settings_of(name, seed):
    """All settings of a case."""
    tested, others = CASES[name]
    return {**DEFAULTS, **BASE, **others, **tested, "seed": seed}
