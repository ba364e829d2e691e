"""Random numbers: Philox4x32-10 (Salmon, Moraes, Dror & Shaw, SC 2011) and the streams that the program names by
(seed, purpose, epoch, id)."""

import numpy as np

# What a stream is for, as include/mnist_dist/core/random.hpp numbers it.
INITIAL_WEIGHTS, SHUFFLE, DROPOUT, HOLDOUT, PACK_ORDER, AUGMENTATION = 1, 2, 3, 4, 5, 7

ROUNDS = 10
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)  # the golden ratio and the square root of 3, less 1
WORD = 0xFFFFFFFF


def philox(counters, key):
    """The generator's blocks. counters [blocks x 4], key (low, high): words of 32 bits. Returns [blocks x 4] uint64."""
    a, b, c, d = (np.asarray(counters, dtype=np.uint64)[:, word] for word in range(4))
    low, high = key
    for _ in range(ROUNDS):
        product_a = a * np.uint64(MULTIPLIERS[0])
        product_c = c * np.uint64(MULTIPLIERS[1])
        a, b, c, d = ((product_c >> np.uint64(32)) ^ b ^ np.uint64(low), product_c & np.uint64(WORD),
                      (product_a >> np.uint64(32)) ^ d ^ np.uint64(high), product_a & np.uint64(WORD))
        low, high = (low + KEY_STEPS[0]) & WORD, (high + KEY_STEPS[1]) & WORD
    return np.stack([a, b, c, d], axis=1)


def words(seed, purpose, epoch, identity, count):
    """The first `count` words of a stream. The seed is the key; the counter's words are the block's number in the
    stream, the id's low 32 bits, the epoch, and the purpose above the id's high 16 bits."""
    counters = np.zeros(((count + 3) // 4, 4), dtype=np.uint64)
    counters[:, 0] = np.arange(len(counters))
    counters[:, 1:] = [identity & WORD, epoch, purpose << 16 | identity >> 32]
    return philox(counters, (seed & WORD, seed >> 32)).reshape(-1)[:count]


class Stream:
    """A stream's words one after the other."""

    def __init__(self, seed, purpose, epoch, identity):
        self.name = (seed, purpose, epoch, identity)
        self.drawn = 0
        self.words = []

    def word(self):
        """The next 32 bits."""
        if self.drawn == len(self.words):
            self.words = words(*self.name, 2 * len(self.words) + 64)
        self.drawn += 1
        return int(self.words[self.drawn - 1])

    def uniform(self):
        """In [0, 1), of 24 bits."""
        return (self.word() >> 8) / 2**24

    def below(self, bound):
        """In {0, ..., bound - 1}, each equally likely: Lemire, "Fast random integer generation in an interval",
        2019."""
        while True:
            quotient, rest = divmod(self.word() * bound, 2**32)
            if rest >= 2**32 % bound:
                return quotient

    def shuffled(self, values):
        """Fisher and Yates: from the last place to the second, each is swapped with one that is not behind it."""
        values = list(values)
        for last in range(len(values) - 1, 0, -1):
            other = self.below(last + 1)
            values[last], values[other] = values[other], values[last]
        return values
