"""A whole training, as the program's settings describe it."""

from dataclasses import dataclass, field

import numpy as np
import torch
from augmentation import is_active, warp
from network import class_weights, dropout_scales, initial_parameters, logits_of, row_losses
from optimization import Optimizer
from plan import split_holdout, steps_of_epoch
from scores import accuracy, macro_f_beta


class Unsafe(Exception):
    """Single precision might round a pixel, or choose a class or a side of a kink, differently: try another seed."""


@dataclass
class Dataset:
    """images u8 [rows x height x width]; mean and deviation f32 [height x width]."""
    images: np.ndarray
    labels: list
    classes: int
    mean: np.ndarray
    deviation: np.ndarray


@dataclass
class Outcome:
    parameters: np.ndarray  # W1, b1, W2, b2, ...
    average: np.ndarray
    epochs: list = field(default_factory=list)  # (loss, score, accuracy); without a holdout the last two are None
    steps: int = 0
    clipped: int = 0


VALUE_ERROR = 1e-5  # of logits and pre-activations in single precision, with room to spare


def require(distance, error):
    if not distance > error:
        raise Unsafe


class Training:
    """precision: torch.float64 gives the reference; torch.float32 tells how exact single precision can be."""

    def __init__(self, data, settings, precision=torch.float64):
        self.data, self.settings, self.precision = data, settings, precision
        self.checks = precision == torch.float64
        self.training_rows, self.holdout_rows = split_holdout(data.labels, data.classes, settings["holdout"],
                                                              settings["seed"])
        self.class_weights = class_weights(settings["class-weights"],
                                           [data.labels[row] for row in self.training_rows])
        self.sizes = [data.mean.size, *settings["hidden"], data.classes]
        self.parameters = [torch.tensor(values, dtype=precision) for values in
                           initial_parameters(self.sizes, settings["activation"], settings["seed"])]
        steps_per_epoch = -(-len(self.training_rows) // settings["batch-size"])
        self.optimizer = Optimizer(settings, self.parameters, steps_per_epoch)

    def inputs_of(self, images):
        """z-scores, and 0 where a pixel's deviation is 0. No deviation is less than the floor."""
        deviation = np.maximum(self.data.deviation.astype(np.float64), np.float32(self.settings["deviation-floor"]))
        scores = np.divide(images - self.data.mean.astype(np.float64), deviation, out=np.zeros(images.shape),
                           where=deviation > 0)
        return torch.tensor(scores.reshape(len(images), -1), dtype=self.precision)

    def shown_image(self, epoch, row):
        if not is_active(self.settings):
            return self.data.images[row]
        image, margin = warp(self.data.images[row], self.settings, epoch, row)
        if self.checks:
            require(margin, 1)
        return image

    def check_kink(self, values):
        if self.checks:
            require(float(values.detach().abs().min()), VALUE_ERROR)

    def scales_of(self, epoch, rows):
        """The dropout of some rows, by hidden layer."""
        rate, seed = self.settings["dropout"], self.settings["seed"]
        return [torch.tensor(np.stack([dropout_scales(rate, seed, epoch, row, layer, units) for row in rows]),
                             dtype=self.precision) for layer, units in enumerate(self.settings["hidden"])]

    def step(self, epoch, rows, images):
        """One step; returns the sum of the rows' losses."""
        leaves = [parameter.clone().requires_grad_() for parameter in self.parameters]
        logits = logits_of(leaves, self.inputs_of(images), self.settings, self.scales_of(epoch, rows), self.check_kink)
        labels = torch.tensor([self.data.labels[row] for row in rows])
        weights = torch.tensor([self.class_weights[self.data.labels[row]] for row in rows], dtype=self.precision)
        losses = weights * row_losses(logits, labels, self.settings["label-smoothing"])
        self.optimizer.step(torch.autograd.grad(losses.mean(), leaves))
        return float(losses.detach().sum())

    def score(self):
        """Score and accuracy on the holdout: of the average, where one is kept."""
        if not self.holdout_rows:
            return None, None
        scored = self.optimizer.average if self.settings["average"] > 0 else self.parameters
        logits = logits_of(scored, self.inputs_of(self.data.images[self.holdout_rows]), self.settings, None,
                           self.check_kink)
        if self.checks:
            best = torch.topk(logits, 2, dim=1).values
            require(float((best[:, 0] - best[:, 1]).min()), VALUE_ERROR)
        predicted = logits.argmax(dim=1).tolist()
        actual = [self.data.labels[row] for row in self.holdout_rows]
        return macro_f_beta(predicted, actual, self.settings["f-beta"]), accuracy(predicted, actual)

    def run(self):
        """All epochs. @raises Unsafe"""
        settings = self.settings
        batch_size, shards, seed = (settings[name] for name in ("batch-size", "shards", "seed"))
        of_shards = [steps_of_epoch(self.training_rows, batch_size, shards, seed, epoch)
                     for epoch in range(1, settings["epochs"] + 1)]
        plans = [[sum(microbatches, []) for microbatches in steps] for steps in of_shards]
        # All images first: most seeds that are no good are so because of a pixel.
        shown = [[np.stack([self.shown_image(epoch, row) for row in rows]) for rows in plan]
                 for epoch, plan in enumerate(plans, start=1)]
        epochs = []
        for epoch, (plan, images_of_steps) in enumerate(zip(plans, shown), start=1):
            loss = sum(self.step(epoch, rows, images) for rows, images in zip(plan, images_of_steps))
            epochs.append((loss / len(self.training_rows), *self.score()))
        flat = [np.concatenate([tensor.double().numpy().reshape(-1) for tensor in tensors])
                for tensors in (self.parameters, self.optimizer.average)]
        return Outcome(flat[0], flat[1], epochs, self.optimizer.steps, self.optimizer.clipped)
