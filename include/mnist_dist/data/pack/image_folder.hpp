// PNG files in one folder per class.
//
// Either ROOT/training/CLASS/*.png and ROOT/testing/CLASS/*.png (also train/ and test/; testing may be
// missing), or ROOT/CLASS/*.png, which is all training data. A class is a folder that holds PNG files (*.png
// in any case); its name is UTF-8. Hidden files and folders are passed over, other files are counted,
// symbolic links are followed.
#pragma once

#include <filesystem>
#include <memory>

#include "mnist_dist/data/pack/image_source.hpp"

namespace mnist_dist::data {

/// Whether `root` holds a folder for a split.
[[nodiscard]] bool has_split_folders(const std::filesystem::path& root);

/// Lists the folders; no image is opened yet. The rows of a split are in byte order of class and file name.
/// @throws Error file_system: a folder cannot be read; bad_data: no images, or a class that only testing has
[[nodiscard]] std::unique_ptr<ImageSource> open_image_folder(const std::filesystem::path& root);

}  // namespace mnist_dist::data
