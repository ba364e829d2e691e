"""`predict --center` a second time, from its description: integers only."""

import numpy


def half_up(n, d):
    return (2 * n + d) // (2 * d)


def centred(picture, field, background):
    """@param picture [height x width x channels], @param field height, width"""
    height, width, channels = picture.shape
    on_border = numpy.zeros((height, width), bool)
    on_border[[0, -1]] = on_border[:, [0, -1]] = True
    border = numpy.sort(picture[on_border], axis=0)
    ink = picture - border[(len(border) - 1) // 2]
    weight = abs(ink).sum(axis=2)
    result = numpy.empty((*field, channels), int)
    result[:] = background
    if weight.max() == 0:
        return result
    rows, columns = (8 * weight >= weight.max()).nonzero()
    ink = ink[rows.min():rows.max() + 1, columns.min():columns.max() + 1]
    (bh, bw), (most_h, most_w) = ink.shape[:2], (max(1, half_up(20 * side, 28)) for side in field)
    if most_h * bw <= most_w * bh:
        th, tw = most_h, max(1, half_up(bw * most_h, bh))
    else:
        th, tw = max(1, half_up(bh * most_w, bw)), most_w

    def overlaps(source, target):
        return numpy.array([[max(0, min((i + 1) * source, (y + 1) * target) - max(i * source, y * target))
                             for y in range(source)] for i in range(target)])

    sums = numpy.einsum("iy,jx,yxc->ijc", overlaps(bh, th), overlaps(bw, tw), ink)
    values = numpy.clip(numpy.array(background) + half_up(sums, bh * bw), 0, 255)
    mass = abs(values - numpy.array(background)).sum(axis=2)
    if mass.sum() == 0:
        return result
    r = half_up((mass.sum(axis=1) * range(th)).sum(), mass.sum())
    k = half_up((mass.sum(axis=0) * range(tw)).sum(), mass.sum())
    for i in range(th):
        for j in range(tw):
            y, x = field[0] // 2 - r + i, field[1] // 2 - k + j
            if 0 <= y < field[0] and 0 <= x < field[1]:
                result[y, x] = values[i, j]
    return result
