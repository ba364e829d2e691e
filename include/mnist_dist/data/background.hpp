// What lies behind the objects of a data set, by its own statistics. Local; safe from any thread.
#pragma once

#include <span>

#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/image/picture.hpp"

namespace mnist_dist::data {

/// The background that most images of a data set have at their border.
struct Background {
  image::Colour colour{};
  /// Whether the images have one: their borders are nearly black or nearly white, and nearly alike. Photographs have
  /// none, and then no picture's background is wrong.
  bool clear = false;
};

/// The colour is the lower median over the mean image's border, rounded (image/center_ink.hpp: border_level).
/// @param mean, standard_deviation [shape.size()] over the training images, in 0 to 255
[[nodiscard]] Background background_of(std::span<const float> mean, std::span<const float> standard_deviation,
                                       const ImageShape& shape);

/// Whether a picture clearly has the opposite of the data's background: 2 |level - (255 - background)| < |level -
/// background|, in grey, and the data's background is clear.
///
/// The picture's level is that of its border. Where most of its border is transparent, it is the opposite of its ink,
/// the mean over the picture weighted by opacity: dark ink is meant for a light background.
[[nodiscard]] bool is_inverted(const image::Picture& picture, const Background& background);

}  // namespace mnist_dist::data
