// Turns an image into a row of a data set: what `h5pack pack` does to every file and `predict` to its
// arguments. Local; safe from any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/image/image.hpp"

namespace mnist_dist::data {

/// The image's pixels in the given shape, [height x width x channels]: colour to grey or back where the shape
/// asks for it, then resampled where the size differs (image/resample.hpp says how).
[[nodiscard]] std::vector<std::uint8_t> fit_to_shape(image::Image image, const ImageShape& shape);

/// A PNG file's pixels in the given shape: alpha over black, 16 bits scaled to 8 (image/png.hpp), then
/// fit_to_shape.
/// @throws Error file_system: cannot be read; bad_data: not a whole PNG image
[[nodiscard]] std::vector<std::uint8_t> read_image_as(const std::filesystem::path& path, const ImageShape& shape);

}  // namespace mnist_dist::data
