// Images in one folder per class.
//
// Either ROOT/training/CLASS/* and ROOT/testing/CLASS/* (also train/ and test/; testing may be missing), or
// ROOT/CLASS/*, which is all training data. ROOT/validation/CLASS/* (also val/) beside training/ are training rows that
// are held out. A class is a folder that holds PNG or JPEG files, told by their first bytes or called *.png, *.jpg or
// *.jpeg in any case; its name is UTF-8. Hidden files and folders are passed over, what else is there is counted,
// symbolic links are followed.
#pragma once

#include <filesystem>
#include <memory>

#include "mnist_dist/data/pack/image_source.hpp"

namespace mnist_dist::data {

/// Whether `root` holds a folder for a split.
[[nodiscard]] bool has_split_folders(const std::filesystem::path& root);

/// Lists the folders; no image is decoded yet. The rows of a split are in byte order of class and file name, those that
/// are held out after the others.
/// @throws Error file_system: a folder cannot be read; bad_data: no images, or a class that training lacks
[[nodiscard]] std::unique_ptr<ImageSource> open_image_folder(const std::filesystem::path& root);

}  // namespace mnist_dist::data
