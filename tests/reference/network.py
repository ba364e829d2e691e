"""The multilayer perceptron: initial weights, dropout, the forward pass and the loss. Gradients are PyTorch's."""

import math

import numpy as np
import torch
from philox import DROPOUT, INITIAL_WEIGHTS, words

SATURATING = ("tanh", "sigmoid")
WITH_KINK = ("leaky-relu", "relu")


def initial_parameters(sizes, activation, seed):
    """W1, b1, W2, b2, ... with W [inputs x outputs]. Weights are uniform in +-sqrt(6 / inputs), where the activation
    saturates in +-sqrt(6 / (inputs + outputs)); a stream for each layer, drawn row by row. Biases are 0."""
    parameters = []
    for layer, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        limit = math.sqrt(6 / (inputs + outputs if activation in SATURATING else inputs))
        uniform = (words(seed, INITIAL_WEIGHTS, 0, layer, inputs * outputs) >> np.uint64(8)).astype(np.float64) / 2**24
        parameters += [(limit * (2 * uniform - 1)).reshape(inputs, outputs), np.zeros(outputs)]
    return parameters


def dropout_scales(rate, seed, epoch, row, layer, units):
    """[units]: 0 for a dropped unit, 1 / (1 - rate) for a kept one. The rate is a number of 65536ths; each unit has 16
    random bits of the stream of its row and hidden layer (from 0), the low half of a word first, and is dropped when
    they are less."""
    threshold = math.floor(rate * 65536 + 0.5)
    random = words(seed, DROPOUT, epoch, layer << 40 | row, (units + 1) // 2)
    bits = np.stack([random & np.uint64(0xFFFF), random >> np.uint64(16)], axis=1).reshape(-1)[:units]
    return np.where(bits < threshold, 0.0, 65536 / (65536 - threshold))


def activate(x, activation, slope):
    """A hidden layer's activation function."""
    if activation == "leaky-relu":
        return torch.where(x > 0, x, slope * x)
    return {"relu": torch.relu, "gelu": torch.nn.functional.gelu, "tanh": torch.tanh, "sigmoid": torch.sigmoid,
            "silu": torch.nn.functional.silu}[activation](x)


def logits_of(parameters, inputs, settings, scales, on_kink):
    """The whole forward pass. scales: by hidden layer, [rows x units], or nothing for prediction.
    on_kink: called with the pre-activations of functions that have one at 0."""
    x = inputs
    last = len(parameters) // 2 - 1
    for layer in range(last + 1):
        x = x @ parameters[2 * layer] + parameters[2 * layer + 1]
        if layer < last:
            if settings["activation"] in WITH_KINK:
                on_kink(x)
            x = activate(x, settings["activation"], settings["leaky-relu-slope"])
            if scales:
                x = x * scales[layer]
    return x


def class_weights(kind, labels):
    """label -> what its rows count for in the loss. Balanced: n / (k n_c), of n labels of k classes, n_c of them c."""
    sizes = {label: labels.count(label) for label in labels}
    return {label: len(labels) / (len(sizes) * size) if kind == "balanced" else 1.0 for label, size in sizes.items()}


def row_losses(logits, labels, smoothing):
    """Softmax cross-entropy of every row with (1 - smoothing) onehot(label) + smoothing / classes."""
    classes = logits.shape[1]
    targets = (1 - smoothing) * torch.nn.functional.one_hot(labels, classes).to(logits.dtype) + smoothing / classes
    return -(targets * torch.log_softmax(logits, dim=1)).sum(dim=1)
