// Puts a drawn digit where MNIST's are: scaled with its proportions kept into a box of 20x20 pixels in a field of
// 28x28, its centre of mass in the middle (LeCun, Cortes & Burges, "The MNIST database of handwritten digits",
// yann.lecun.com/exdb/mnist). An image of MNIST itself comes out as it is. Local; safe from any thread.
//
// The definition, which a program in another language can repeat to the last bit: every number is an integer below
// 2^53, and n div d is n / d rounded down. The picture is [h x w], the field [H x W], b the background of the data.
//
// 1. Paper. p[c] is the lower median of channel c over the picture's border, where every pixel counts once: of n sorted
//    samples, number (n - 1) div 2 from 0. ink(y, x, c) = picture(y, x, c) - p[c]; a pixel's weight is the sum of |ink|
//    over the channels.
// 2. Box. The smallest rectangle that holds all pixels with 8 weight >= the largest weight: bh x bw. What is outside is
//    dropped. Where the largest weight is 0, the field is b.
// 3. Size. Bh = max(1, (40 H + 28) div 56), Bw = max(1, (40 W + 28) div 56).
//    When Bh bw <= Bw bh: th = Bh, tw = max(1, (2 bw Bh + bh) div (2 bh)).
//    Otherwise:           tw = Bw, th = max(1, (2 bh Bw + bw) div (2 bw)).
// 4. Area average, of the box to [th x tw]. Source row y counts in target row i as much as [i bh, (i + 1) bh) and
//    [y th, (y + 1) th) overlap; columns alike. S = the sum of both counts times ink, and
//    value(i, j, c) = b[c] + (2 S + bh bw) div (2 bh bw), not below 0 and not above 255.
// 5. Centre of mass. m(i, j) is the sum of |value - b| over the channels, M the sum of all m (0: the field is b).
//    r = (2 sum(i m) + M) div (2 M) is the row nearest to the centre of mass, k the column. Row r comes to row H div 2
//    of the field, column k to column W div 2; the rest of the field is b. What falls outside is lost.
#pragma once

#include <cstddef>

#include "mnist_dist/image/image.hpp"
#include "mnist_dist/image/picture.hpp"

namespace mnist_dist::image {

/// The lower median of each channel over the first and last row and column; a grey image's counts for all three.
[[nodiscard]] Colour border_level(const Image& image);

/// @param picture of any size, with its background the right way round
/// @param height, width of the field, at least 1  @param background the data's
/// @return the field, with the picture's number of channels
[[nodiscard]] Image center_ink(const Image& picture, std::size_t height, std::size_t width, const Colour& background);

}  // namespace mnist_dist::image
