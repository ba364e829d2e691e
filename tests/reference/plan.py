"""Which rows are kept back as the holdout, and which rows train in which step of an epoch."""

import math

from philox import HOLDOUT, SHUFFLE, Stream


def split_holdout(labels, classes, share, seed):
    """Of each class, `share` of its rows, rounded to the nearest number: the first of them in a shuffled order.
    Returns the training rows and the holdout rows, both ascending."""
    holdout = set()
    for label in range(classes):
        rows = [row for row, its_label in enumerate(labels) if its_label == label]
        count = math.floor(share * len(rows) + 0.5)
        holdout.update(Stream(seed, HOLDOUT, 0, label).shuffled(rows)[:count])
    return [row for row in range(len(labels)) if row not in holdout], sorted(holdout)


def dealing_order(shards):
    """The shards in the order of their mirrored binary digits, as 0, 4, 2, 6, 1, 5, 3, 7."""
    digits = (shards - 1).bit_length()
    return sorted(range(shards), key=lambda shard: f"{shard:0{digits}b}"[::-1])


def shard_order(seed, epoch, shard, rows):
    """The order in which a shard goes through its rows in an epoch."""
    return Stream(seed, SHUFFLE, epoch, shard).shuffled(range(rows))


def rows_of_shards(rows, shards):
    """How many of the training rows each shard has: they are dealt to the shards in turn, and then sorted by shard."""
    turns = dealing_order(shards)
    dealt = [turns[place % shards] for place in range(rows)]
    return [dealt.count(shard) for shard in range(shards)]


def steps_of_epoch(training_rows, batch_size, shards, seed, epoch):
    """The rows of every step: of each step, the list of microbatches, one a shard; perhaps empty ones."""
    next_row = 0
    waiting = []  # by shard: its rows in the order of this epoch
    for shard, count in enumerate(rows_of_shards(len(training_rows), shards)):
        own = training_rows[next_row:next_row + count]
        waiting.append([own[place] for place in shard_order(seed, epoch, shard, count)])
        next_row += count
    turns = dealing_order(shards)
    steps = []
    for first in range(0, len(training_rows), batch_size):
        microbatches = [[] for _ in range(shards)]
        for place in range(first, min(first + batch_size, len(training_rows))):
            shard = turns[place % shards]
            microbatches[shard].append(waiting[shard].pop(0))
        steps.append(microbatches)
    return steps
