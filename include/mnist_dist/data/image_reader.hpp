// Reads one PNG file as a row of a data set: what `h5pack pack` does to every file and `predict` to its arguments.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "mnist_dist/data/dataset_file.hpp"

namespace mnist_dist::data {

/// The file's pixels in the given shape, [height x width x channels]: alpha over black, 16 bits scaled to 8, colour
/// to grey or back where the shape asks for it, resampled where the size differs. Local; safe from any thread.
/// @throws Error file_system: cannot be read; bad_data: not a whole PNG image
[[nodiscard]] std::vector<std::uint8_t> read_image_as(const std::filesystem::path& path, const ImageShape& shape);

}  // namespace mnist_dist::data
