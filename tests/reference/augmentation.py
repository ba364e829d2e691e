"""Training images as an epoch shows them: an affine change and an elastic displacement, sampled once, bilinear."""

import math

import numpy as np
from philox import AUGMENTATION, words

AFFINE_WORDS = 6  # scale x, scale y, shear, rotation, shift x, shift y; then the elastic field's

# How far single precision may be from a place and from a grey level. Places are below 16, where half a unit in the last
# place is 5e-7, and a sum of four products; levels are below 128, where it is 4e-6, and three sums.
PLACE_ERROR = 2.5e-6
GREY_ERROR = 1.5e-5


def cubic_b_spline(distance):
    """The density of the sum of four numbers that are uniform in [-1/2, 1/2]."""
    distance = np.abs(distance)
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.clip(2 - distance, 0, None)**3 / 6
    return np.where(distance < 1, near, far)


def spline_weights(pixels, smoothing):
    """[pixels x nodes]: how far each node of the grid moves each pixel. The nodes are sqrt(3) sigma apart, centred
    on the pixels; each pixel's weights have squares of the sum 1."""
    distance = max(1.0, smoothing * math.sqrt(3))
    spans = math.floor((pixels - 1) / distance)  # whole distances between the first and the last pixel
    # The pixels' middle lies in the nodes' middle. Pixels reach two nodes to either side, so there are spans + 4.
    positions = (np.arange(pixels) - (pixels - 1) / 2) / distance
    nodes = np.arange(spans + 4) - (spans + 3) / 2
    weights = cubic_b_spline(positions[:, None] - nodes[None, :])
    return weights / np.sqrt((weights**2).sum(axis=1, keepdims=True))


def words_of_field(height, width, smoothing):
    """The number of random words of a field: a byte for every node, of both directions."""
    nodes = spline_weights(height, smoothing).shape[1] * spline_weights(width, smoothing).shape[1]
    return (2 * nodes + 3) // 4


def elastic_field(height, width, smoothing, random):
    """Displacements to the right and down, [height x width] each, of no certain unit."""
    down, right = spline_weights(height, smoothing), spline_weights(width, smoothing)
    count = down.shape[1] * right.shape[1]
    # All words' lowest bytes come first, then the second ones, ...; from -1 to 1.
    octets = np.concatenate([(random >> np.uint64(8 * octet)) & np.uint64(255) for octet in range(4)])
    noise = octets.astype(np.float64) / 127.5 - 1
    grids = noise[:2 * count].reshape(2, down.shape[1], right.shape[1])
    return down @ grids[0] @ right.T, down @ grids[1] @ right.T


def change_matrix(shape, settings, random):
    """The affine change as a 3 x 3 matrix, from where a pixel was to where it is drawn. x right, y down."""
    amounts = random[:AFFINE_WORDS].astype(np.float64) / 2**31 - 1  # in [-1, 1)
    scale = np.diag([1 + settings["scaling"] * amounts[0], 1 + settings["scaling"] * amounts[1], 1])
    shear = np.array([[1, settings["shear"] * amounts[2], 0], [0, 1, 0], [0, 0, 1]])
    angle = math.radians(settings["rotation"] * amounts[3])  # counter-clockwise as one sees it
    rotation = np.array([[math.cos(angle), math.sin(angle), 0], [-math.sin(angle), math.cos(angle), 0], [0, 0, 1]])
    shift = np.eye(3)
    shift[:2, 2] = settings["shift"] * amounts[4:6]
    to_centre = np.eye(3)
    to_centre[:2, 2] = -(shape[1] - 1) / 2, -(shape[0] - 1) / 2
    return np.linalg.inv(to_centre) @ shift @ rotation @ shear @ scale @ to_centre


def sample(image, x, y):
    """The grey levels at these places, bilinear, black outside the image; and how fast they change at most
    along x and along y."""
    height, width = image.shape
    framed = np.zeros((height + 4, width + 4))
    framed[2:-2, 2:-2] = image
    x = np.clip(x, -1.5, width + 0.5)
    y = np.clip(y, -1.5, height + 0.5)
    column, row = np.floor(x).astype(int), np.floor(y).astype(int)
    right, below = x - column, y - row
    corners = np.array([framed[row + i + 2, column + j + 2] for i in (0, 1) for j in (0, 1)])
    shares = np.array([(1 - below) * (1 - right), (1 - below) * right, below * (1 - right), below * right])
    level = (shares * corners).sum(axis=0)
    along_x = np.maximum(np.abs(corners[1] - corners[0]), np.abs(corners[3] - corners[2]))
    along_y = np.maximum(np.abs(corners[2] - corners[0]), np.abs(corners[3] - corners[1]))
    return level, along_x + along_y


def is_active(settings):
    return any(settings[name] > 0 for name in ("rotation", "scaling", "shear", "shift", "elastic"))


def warp(image, settings, epoch, row):
    """The image [height x width] of a row as an epoch shows it, in whole grey levels; and its margin: the least
    distance of a level from a half, as a multiple of the error of single precision."""
    height, width = image.shape
    elastic = settings["elastic"] > 0
    field_words = words_of_field(height, width, settings["elastic-smoothing"]) if elastic else 0
    random = words(settings["seed"], AUGMENTATION, epoch, row, AFFINE_WORDS + field_words)
    back = np.linalg.inv(change_matrix(image.shape, settings, random))
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    from_x, from_y, _ = np.tensordot(back, np.stack([x, y, np.ones_like(x)]), axes=1)
    if elastic:
        right, down = elastic_field(height, width, settings["elastic-smoothing"], random[AFFINE_WORDS:])
        scale = settings["elastic"] / max(np.abs(right).max(), np.abs(down).max())
        from_x, from_y = from_x + scale * right, from_y + scale * down
    level, slope = sample(image, from_x, from_y)
    distance = np.abs(level - np.floor(level) - 0.5)
    error = PLACE_ERROR * slope + GREY_ERROR
    changing = slope > 0
    margin = (distance / error)[changing].min() if changing.any() else math.inf
    return np.floor(level + 0.5).astype(np.uint8), margin
