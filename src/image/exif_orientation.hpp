// How a camera was held, and what that makes of an image.
#pragma once

#include <cstddef>
#include <span>

#include "mnist_dist/image/image.hpp"

namespace mnist_dist::image {

/// The orientation that an Exif part states ("Exif for digital still cameras", tag 274): 1 (none) to 8; 1 where it
/// states none, or is damaged. @param exif from "Exif" on
[[nodiscard]] int exif_orientation(std::span<const std::byte> exif);

/// The image as it is meant to be seen.
[[nodiscard]] Image turned_upright(Image image, int orientation);

}  // namespace mnist_dist::image
