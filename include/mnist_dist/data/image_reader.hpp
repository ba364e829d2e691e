// Turns an image into a row of a data set: what `h5pack pack` does to every file, and `predict` to pictures that may
// have other backgrounds than the data. Local; safe from any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "mnist_dist/data/background.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/image/image.hpp"
#include "mnist_dist/image/picture.hpp"

namespace mnist_dist::data {

/// The image's pixels in the given shape, [height x width x channels]: colour to grey or back where the shape
/// asks for it, then resampled where the size differs (image/resample.hpp says how).
[[nodiscard]] std::vector<std::uint8_t> fit_to_shape(image::Image image, const ImageShape& shape);

enum class Inversion { automatic, yes, no };

struct PictureHandling {
  Background background;  ///< of the data
  Inversion inversion = Inversion::automatic;
  bool center = false;  ///< center_ink() instead of fit_to_shape()
};

struct PictureRow {
  std::vector<std::uint8_t> pixels;  ///< in the shape of the data
  bool inverted = false;
};

/// A picture's pixels in the given shape: inverted where it is to be or is_inverted(), laid over the data's background,
/// then fit_to_shape() or center_ink().
[[nodiscard]] PictureRow row_of_picture(const image::Picture& picture, const ImageShape& shape,
                                        const PictureHandling& handling);

}  // namespace mnist_dist::data
