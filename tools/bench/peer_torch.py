"""PyTorch in one process, eager or compiled. Prints one line of JSON, see problem.py.

Usage: peer_torch.py [--threads N] [--compile] [--compile-mode MODE] [--epochs N] [--hidden UNITS,...] [--batch-size N]
       DATA
"""

import functools
import logging

import torch

import problem
import torch_training as training


def main():
    """Finds the fastest way, then trains with it."""
    arguments = parsed_arguments()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    features, labels = training.training_tensors(arguments.data)
    new_network = functools.partial(training.network, features.shape[1], arguments.hidden, int(labels.max()) + 1)
    steps = compiled_steps(new_network, arguments.compile_mode) if arguments.compile else eager_steps(new_network)

    batches_of = functools.partial(training.shuffled_batches, batch_size=arguments.batch_size)
    name, draw = training.fastest_way(steps, features, labels, arguments.batch_size, batches_of)
    epochs = [training.timed_epoch(steps[name], training.DRAWS[draw], features, labels, batches_of)
              for _ in range(arguments.epochs)]
    seconds, losses = zip(*epochs)
    problem.print_result(seconds, losses, *training.software_and_blas(), f"{name}, {draw}")


def parsed_arguments():
    """The command line."""
    parser = problem.peer_arguments("Times PyTorch in one process.")
    parser.add_argument("--threads", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--compile", action="store_true", help="with torch.compile")
    parser.add_argument("--compile-mode", default="default", help="torch.compile's mode (default: %(default)s)")
    return parser.parse_args()


def eager_steps(new_network):
    """With both forms of AdaMax, each step with a network of its own."""
    steps = {}
    for name, foreach in {"foreach": True, "no foreach": False}.items():
        model = new_network()
        optimizer = training.adamax(model, foreach)
        steps[name] = training.training_step(training.mean_loss(model), optimizer, optimizer.step)
    return steps


def compiled_steps(new_network, mode):
    """AdaMax compiled, and the network compiled or not, since that can be slower. Every shape is compiled for itself.

    The random numbers of dropout are those of eager PyTorch: the compiled ones are slower on CPUs.
    """
    torch._inductor.config.fallback_random = True  # no public name leads there
    logging.getLogger("torch").setLevel(logging.ERROR)
    compiled = functools.partial(torch.compile, mode=mode, dynamic=False)
    steps = {}
    for name, compile_loss in {"network and AdaMax compiled": compiled, "AdaMax compiled": lambda loss: loss}.items():
        model = new_network()
        optimizer = training.adamax(model, foreach=True)
        loss_of = compile_loss(training.mean_loss(model))
        steps[name] = training.training_step(loss_of, optimizer, compiled(optimizer.step))
    return steps


if __name__ == "__main__":
    main()
