// Changing an image's size and channels. Local; safe from any thread.
#pragma once

#include <cstddef>

#include "mnist_dist/image/image.hpp"

namespace mnist_dist::image {

/// The image at another size, stretched where the proportions differ; the image itself when the size is the
/// same.
///
/// Enlarged by Catmull-Rom splines, reduced by the filter of Mitchell & Netravali ("Reconstruction filters in
/// computer graphics", SIGGRAPH 1988; B = C = 1/3) over every pixel that falls on a new one. The edge is
/// continued outwards. The samples count as they stand, without gamma.
/// @param height, width at least 1
[[nodiscard]] Image resample(Image image, std::size_t height, std::size_t width);

/// One channel: luma by ITU-R BT.601, (299 red + 587 green + 114 blue) / 1000, rounded. Grey coded as colour
/// (red = green = blue) keeps its exact value.
[[nodiscard]] Image to_grey(Image image);

/// Three channels, each the same where the image was grey.
[[nodiscard]] Image to_colour(Image image);

}  // namespace mnist_dist::image
