"""Values of single definitions, so that a changed one is seen by name: streams, plan, weights, masks, images."""

import numpy as np
from augmentation import elastic_field, warp, words_of_field
from network import dropout_scales, initial_parameters
from philox import AUGMENTATION, DROPOUT, HOLDOUT, INITIAL_WEIGHTS, PACK_ORDER, SHUFFLE, Stream, words
from plan import rows_of_shards, shard_order, split_holdout, steps_of_epoch

LARGE_SEED = 2**52 + 2**31 + 5
AUGMENTATION_SETTINGS = {"rotation": 20, "scaling": 0.2, "shear": 0.3, "shift": 1, "elastic": 0.8,
                         "elastic-smoothing": 2}
SEEDS_TO_TRY = 1000


def streams():
    """A name in which every part of the counter and of the key says something, and the first words."""
    names = [(0, SHUFFLE, 0, 0), (LARGE_SEED, SHUFFLE, 3, 7), (LARGE_SEED, DROPOUT, 2**32 - 1, 2**47 + 2**33 + 9),
             (1, HOLDOUT, 0, 2), (1, INITIAL_WEIGHTS, 0, 1), (1, AUGMENTATION, 5, 59999)]
    result = []
    for seed, purpose, epoch, identity in names:
        bounds = [1, 3, 1000, 3 * 2**30, 3 * 2**30, 3 * 2**30, 3 * 2**30]  # the last refuse a quarter of the words
        stream = Stream(seed, purpose, epoch, identity)
        result.append({"seed": seed, "purpose": purpose, "epoch": epoch, "id": identity,
                       "words": words(seed, purpose, epoch, identity, 9).tolist(), "bounds": bounds,
                       "below": [stream.below(bound) for bound in bounds]})
    return result


def weights():
    """W1, b1, W2, b2 of a small network."""
    result = []
    for activation in ("leaky-relu", "relu", "gelu", "tanh", "sigmoid", "silu"):
        values = initial_parameters([7, 5, 3], activation, LARGE_SEED)
        result.append({"activation": activation, "seed": LARGE_SEED, "sizes": [7, 5, 3],
                       "parameters": [round(float(value), 8) for part in values for value in part.reshape(-1)]})
    return result


def holdouts(data):
    """In each, a class's share has a fraction above a half, and another's one below."""
    result = []
    for seed, share in ((0, 0.3), (LARGE_SEED, 0.2)):
        fractions = [share * data.labels.count(label) % 1 for label in range(data.classes)]
        assert max(fractions) > 0.55 and min(fractions) < 0.45
        training, holdout = split_holdout(data.labels, data.classes, share, seed)
        result.append({"seed": seed, "share": share, "training_rows": training, "holdout_rows": holdout})
    return result


def plans():
    """The shards' numbers of rows, and of an epoch the microbatches' sizes [steps x shards]."""
    result = []
    for rows, batch_size, shards in ((61, 18, 5), (61, 20, 8), (40, 7, 3)):
        steps = steps_of_epoch(list(range(rows)), batch_size, shards, 0, 1)
        result.append({"rows": rows, "batch_size": batch_size, "shards": shards,
                       "rows_of_shards": rows_of_shards(rows, shards),
                       "microbatches": [[len(microbatch) for microbatch in step] for step in steps]})
    return result


def orders():
    """Two shards' orders in two epochs."""
    return [{"seed": seed, "epoch": epoch, "shard": shard, "rows": 25, "order": shard_order(seed, epoch, shard, 25)}
            for seed in (0, LARGE_SEED) for epoch in (1, 2) for shard in (0, 6)]


def pack_orders():
    """The orders in which 25 training images and 25 test images are packed."""
    return [Stream(0, PACK_ORDER, 0, split).shuffled(range(25)) for split in (0, 1)]


def masks():
    """Kept units are 1."""
    result = []
    for epoch in (1, 2):
        for layer in (0, 1):
            kept = [[int(scale > 0) for scale in dropout_scales(0.3, LARGE_SEED, epoch, row, layer, 21)]
                    for row in (0, 5, 70000)]
            result.append({"rate": 0.3, "seed": LARGE_SEED, "epoch": epoch, "layer": layer, "row_ids": [0, 5, 70000],
                           "scale": float(dropout_scales(0.3, LARGE_SEED, epoch, 0, layer, 21).max()), "kept": kept})
    return result


def augmented_images(data):
    """Some rows in two epochs, with a seed where no pixel is near to being rounded the other way."""
    rows = (0, 5, 11)
    for seed in range(LARGE_SEED, LARGE_SEED + SEEDS_TO_TRY):
        settings = {**AUGMENTATION_SETTINGS, "seed": seed}
        warped = [(epoch, row, *warp(data.images[row], settings, epoch, row)) for epoch in (1, 2) for row in rows]
        if min(margin for *_, margin in warped) > 1:
            return {"settings": AUGMENTATION_SETTINGS, "seed": seed,
                    "images": [{"epoch": epoch, "row": row, "pixels": data.images[row].tobytes().hex(),
                                "warped": image.tobytes().hex()} for epoch, row, image, _ in warped]}
    raise SystemExit("augmented images: no seed is safe")


def fields():
    """As they come, and their largest component."""
    result = []
    for height, width, smoothing in ((9, 8, 2), (6, 11, 1), (5, 4, 5)):
        random = words(1, AUGMENTATION, 1, 1, words_of_field(height, width, smoothing))
        x, y = elastic_field(height, width, smoothing, random)
        largest = max(np.abs(x).max(), np.abs(y).max())
        result.append({"height": height, "width": width, "smoothing": smoothing, "random": random.tolist(),
                       "largest": float(largest), "x": np.round(x.reshape(-1), 6).tolist(),
                       "y": np.round(y.reshape(-1), 6).tolist()})
    return result


def golden_values(data):
    """All of them, by what they are."""
    return {"height": data.images.shape[1], "width": data.images.shape[2], "labels": data.labels, "streams": streams(),
            "weights": weights(), "holdouts": holdouts(data), "plans": plans(), "orders": orders(),
            "pack_orders": pack_orders(), "masks": masks(), "augmentation": augmented_images(data), "fields": fields()}
