"""The problem that all peers are given, and the arguments and the output that their scripts have in common.

Each peer_*.py trains a multilayer perceptron on all training rows of a data set file and prints one line of JSON:
    seconds   of every epoch, the first one (a warm-up) too
    losses    the mean loss of every epoch: the check that the peer did learn the same
    software  names and versions
    blas      the BLAS, and the kernels that it chose for this processor
    way       of the ways to do it that the script tries, the one that was fastest and was kept
"""

import argparse
import json

import h5py
import numpy as np
from threadpoolctl import threadpool_info

LEAKY_RELU_SLOPE = 0.1
DROPOUT = 0.2
LEARNING_RATE = 0.001


def peer_arguments(description):
    """The parser of the arguments that all peers share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("data", metavar="DATA", help="the data set file, as h5pack wrote it")
    parser.add_argument("--epochs", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--hidden", type=hidden_layers, default=[100, 100, 100], metavar="UNITS,...",
                        help="units of each hidden layer (default: 100,100,100)")
    parser.add_argument("--batch-size", type=int, default=100, help="rows of a step (default: %(default)s)")
    return parser


def hidden_layers(text):
    """[100, 100] from "100,100"."""
    return [int(units) for units in text.split(",")]


def training_set(path):
    """Standardised pixels f32 [rows, inputs] and labels i64 [rows]. A pixel without deviation becomes 0."""
    with h5py.File(path) as file:
        train = file["train"]
        images, labels = train["images"][:], train["labels"][:].astype(np.int64)
        mean, deviation = train["mean"][:], train["standard_deviation"][:]
    scale = np.divide(1, deviation, out=np.zeros_like(deviation), where=deviation > 0)
    features = images.astype(np.float32)
    features -= mean
    features *= scale
    return features.reshape(len(images), -1), labels


def loaded_blas():
    """The kernels of this process's BLAS libraries. A BLAS that was linked in statically is not seen."""
    cores = {library.get("architecture", library["internal_api"])
             for library in threadpool_info() if library["user_api"] == "blas"}
    return f"BLAS core {', '.join(sorted(cores))}"


def print_result(seconds, losses, software, blas, way):
    """The one line of JSON."""
    print(json.dumps({"seconds": seconds, "losses": losses, "software": software, "blas": blas, "way": way}))
