"""What the PyTorch peers share: the network, batches, the loop over an epoch, and how the fastest way is found."""

import re
import time

import torch
from torch import nn
from torch.nn import functional

import problem

SHUFFLE = torch.Generator().manual_seed(0)  # all processes shuffle alike, whatever else they draw


def training_tensors(path):
    """Features f32 [rows, inputs] and labels i64 [rows], in memory."""
    features, labels = problem.training_set(path)
    return torch.from_numpy(features), torch.from_numpy(labels)


def network(inputs, hidden, classes):
    """Linear, leaky ReLU and dropout for every hidden layer, then a linear output."""
    layers = []
    for units in hidden:
        layers += [linear(inputs, units), nn.LeakyReLU(problem.LEAKY_RELU_SLOPE), nn.Dropout(problem.DROPOUT)]
        inputs = units
    return nn.Sequential(*layers, linear(inputs, classes))


def linear(inputs, outputs):
    """A linear layer that starts as those of mnist-dist do, so that the losses can be compared."""
    layer = nn.Linear(inputs, outputs)
    nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
    return layer


def adamax(model, foreach):
    """AdaMax: one operation over all parameter tensors (foreach), or one for each."""
    return torch.optim.Adamax(model.parameters(), lr=problem.LEARNING_RATE, foreach=foreach)


def mean_loss(model):
    """The function (features, labels) -> mean softmax cross-entropy of the model."""
    return lambda features, labels: functional.cross_entropy(model(features), labels)


def training_step(loss_of, optimizer, update):
    """The function (features, labels) -> loss that takes one step; update is optimizer.step or its compiled form."""

    def step(features, labels):
        loss = loss_of(features, labels)
        loss.backward()
        update()
        optimizer.zero_grad(set_to_none=True)
        return loss.detach()

    return step


def shuffled_batches(rows, batch_size, process=0, processes=1):
    """The indices of the rows of every batch of an epoch; of several processes, each has its equal part of a batch."""
    batches = torch.randperm(rows, generator=SHUFFLE).split(batch_size)
    return batches if processes == 1 else [batch.tensor_split(processes)[process] for batch in batches]


def drawn_by_index(features, labels, batches):
    """Gathers every batch when it is due."""
    for rows in batches:
        yield features.index_select(0, rows), labels.index_select(0, rows)


def sliced_after_shuffle(features, labels, batches):
    """Gathers the whole epoch first; batches are slices of it."""
    order, sizes = torch.cat(list(batches)), [len(rows) for rows in batches]
    return zip(features.index_select(0, order).split(sizes), labels.index_select(0, order).split(sizes))


DRAWS = {"drawn by index": drawn_by_index, "sliced after a shuffle": sliced_after_shuffle}


def timed_epoch(step, draw, features, labels, batches_of):
    """Trains on all rows once. Returns the seconds and the mean of the steps' losses."""
    start = time.perf_counter()
    losses = [step(*batch) for batch in draw(features, labels, batches_of(len(features)))]
    loss = torch.stack(losses).mean().item()
    return time.perf_counter() - start, loss


def fastest_way(steps, features, labels, batch_size, batches_of):
    """Tries every step (name -> function) with every draw on a tenth of the rows. Returns the names of both."""
    trial = max(1, len(features) // 10 // batch_size) * batch_size
    features, labels = features[:trial], labels[:trial]
    seconds = {}
    for name, step in steps.items():
        timed_epoch(step, drawn_by_index, features[:2 * batch_size], labels[:2 * batch_size], batches_of)  # warm up
        for draw in DRAWS:
            seconds[name, draw], _ = timed_epoch(step, DRAWS[draw], features, labels, batches_of)
    return min(seconds, key=seconds.get)


def software_and_blas():
    """The version of PyTorch, and its BLAS. MKL does not name its kernels, so PyTorch's stand for them: AVX512, say."""
    mkl = re.search(r"Math Kernel Library Version ([\d.]+)", torch.__config__.show())
    blas = f"MKL {mkl[1]} on {torch.backends.cpu.get_cpu_capability()}" if mkl else problem.loaded_blas()
    return f"PyTorch {torch.__version__}", blas
