"""PyTorch's DistributedDataParallel over gloo on this machine: each process has one thread and its equal part of every
batch. Prints one line of JSON, see problem.py.

Usage: peer_torch_ddp.py [--processes N] [--epochs N] [--hidden UNITS,...] [--batch-size N] DATA
"""

import functools
import itertools
import os
import socket

import torch
from torch import distributed, multiprocessing
from torch.nn.parallel import DistributedDataParallel

import problem
import torch_training as training

ADDRESS = "127.0.0.1"


def main():
    """Starts the processes; the first one sends what is to be printed."""
    parser = problem.peer_arguments("Times PyTorch DDP over gloo.")
    parser.add_argument("--processes", type=int, default=2, help="default: %(default)s")
    arguments = parser.parse_args()
    results = multiprocessing.get_context("spawn").SimpleQueue()
    multiprocessing.spawn(train, (arguments, free_port(), results), nprocs=arguments.processes)
    problem.print_result(*results.get())


def free_port():
    """A TCP port that nobody uses now."""
    with socket.socket() as listener:
        listener.bind((ADDRESS, 0))
        return listener.getsockname()[1]


def train(process, arguments, port, results):
    """One process: finds the fastest way together with the others, then trains with it."""
    join(process, arguments.processes, port)
    features, labels = training.training_tensors(arguments.data)
    steps = distributed_steps(features.shape[1], arguments.hidden, int(labels.max()) + 1)
    batches_of = functools.partial(training.shuffled_batches, batch_size=arguments.batch_size, process=process,
                                   processes=arguments.processes)

    way = list(training.fastest_way(steps, features, labels, arguments.batch_size, batches_of))
    distributed.broadcast_object_list(way)  # all go the way of the first process
    name, draw = way
    epochs = []
    for _ in range(arguments.epochs):
        distributed.barrier()
        epochs.append(training.timed_epoch(steps[name], training.DRAWS[draw], features, labels, batches_of))
    if process == 0:
        seconds, losses = zip(*epochs)
        results.put((seconds, losses, *training.software_and_blas(), f"{name}, {draw}"))
    distributed.destroy_process_group()


def join(process, processes, port):
    """Meets the other processes."""
    torch.set_num_threads(1)
    torch.manual_seed(process)
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    distributed.init_process_group("gloo", f"tcp://{ADDRESS}:{port}", rank=process, world_size=processes)


def distributed_steps(inputs, hidden, classes):
    """With both forms of AdaMax, and of the graph, each step with a network of its own."""
    steps = {}
    for static_graph, foreach in itertools.product((True, False), repeat=2):
        model = DistributedDataParallel(training.network(inputs, hidden, classes), gradient_as_bucket_view=True,
                                        static_graph=static_graph)
        optimizer = training.adamax(model, foreach)
        name = f"{'static' if static_graph else 'dynamic'} graph, {'foreach' if foreach else 'no foreach'}"
        steps[name] = training.training_step(training.mean_loss(model), optimizer, optimizer.step)
    return steps


if __name__ == "__main__":
    main()
