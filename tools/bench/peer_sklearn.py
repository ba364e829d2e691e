"""scikit-learn's MLPClassifier. Prints one line of JSON, see problem.py.

It has neither AdaMax nor leaky ReLU nor dropout: it trains with Adam and ReLU, and so computes less than the others.

Usage: peer_sklearn.py [--threads N] [--epochs N] [--hidden UNITS,...] [--batch-size N] DATA
"""

import time

import numpy
import sklearn
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

import problem


def main():
    """Trains epoch by epoch: one call of partial_fit goes over all rows once, shuffled and in batches."""
    parser = problem.peer_arguments("Times scikit-learn.")
    parser.add_argument("--threads", type=int, default=2, help="of the BLAS (default: %(default)s)")
    arguments = parser.parse_args()
    features, labels = problem.training_set(arguments.data)
    model = MLPClassifier(arguments.hidden, activation="relu", solver="adam", alpha=0,
                          batch_size=arguments.batch_size, learning_rate_init=problem.LEARNING_RATE, random_state=0)
    with threadpool_limits(arguments.threads):
        seconds = [timed_epoch(model, features, labels) for _ in range(arguments.epochs)]
    software = f"scikit-learn {sklearn.__version__}, NumPy {numpy.__version__}"
    problem.print_result(seconds, model.loss_curve_, software, problem.loaded_blas(), "Adam, ReLU, no dropout")


def timed_epoch(model, features, labels):
    """Trains on all rows once. Returns the seconds."""
    start = time.perf_counter()
    model.partial_fit(features, labels, classes=range(labels.max() + 1))
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
