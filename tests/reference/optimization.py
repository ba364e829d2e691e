"""From gradients to new parameters: the learning rate, clipping, the L2 penalty, weight decay, the optimisers and the
moving average."""

import math

import torch

EPSILON = 1e-8


def learning_rate(settings, step, steps_per_epoch):
    """Of a step, from 1: a linear rise over the warm-up, then the schedule."""
    base, warmup = settings["learning-rate"], settings["warmup-steps"]
    if step <= warmup:
        return base * step / warmup
    behind = step - warmup - 1
    if settings["schedule"] == "step":
        return base * settings["decay"]**(behind // (settings["decay-every"] * steps_per_epoch))
    if settings["schedule"] == "cosine":
        return base / 2 * (1 + math.cos(math.pi * behind / (settings["epochs"] * steps_per_epoch - warmup)))
    return base


class Optimizer:
    """Owns what is kept for each parameter. parameters: W1, b1, W2, b2, ..., changed in place."""

    def __init__(self, settings, parameters, steps_per_epoch):
        self.settings = settings
        self.parameters = parameters
        self.steps_per_epoch = steps_per_epoch
        self.first = [torch.zeros_like(parameter) for parameter in parameters]
        self.second = [torch.zeros_like(parameter) for parameter in parameters]
        self.average = [parameter.clone() for parameter in parameters]
        self.steps = 0
        self.clipped = 0

    def step(self, gradients):
        """One step. The norm is that of all parameters' gradient together; the L2 penalty is added after clipping."""
        self.steps += 1
        rate = learning_rate(self.settings, self.steps, self.steps_per_epoch)
        limit = self.settings["clip-norm"]
        norm = math.sqrt(sum(float((gradient**2).sum()) for gradient in gradients))
        if limit > 0 and norm > limit:
            self.clipped += 1
            gradients = [gradient * (limit / norm) for gradient in gradients]
        for place, gradient in enumerate(gradients):
            parameter = self.parameters[place]
            is_weight = place % 2 == 0
            if place == len(gradients) - 2:
                gradient = gradient + self.settings["output-l2"] * parameter
            if is_weight:
                parameter *= 1 - rate * self.settings["weight-decay"]
            parameter -= rate * self.direction(place, gradient)
            self.update_average(place)

    def direction(self, place, gradient):
        """What a parameter moves by, against it and times the learning rate."""
        kind, beta1, beta2 = (self.settings[name] for name in ("optimizer", "beta1", "beta2"))
        if kind == "sgd":
            self.first[place] = self.settings["momentum"] * self.first[place] + gradient
            return self.first[place]
        self.first[place] = beta1 * self.first[place] + (1 - beta1) * gradient
        mean = self.first[place] / (1 - beta1**self.steps)
        if kind == "adamax":
            self.second[place] = torch.maximum(beta2 * self.second[place], gradient.abs() + EPSILON)
            return mean / self.second[place]
        self.second[place] = beta2 * self.second[place] + (1 - beta2) * gradient**2
        return mean / (torch.sqrt(self.second[place] / (1 - beta2**self.steps)) + EPSILON)

    def update_average(self, place):
        """The average begins at the initial parameters, which are soon forgotten."""
        decay = min(self.settings["average"], (1 + self.steps) / (10 + self.steps))
        self.average[place] += (1 - decay) * (self.parameters[place] - self.average[place])
