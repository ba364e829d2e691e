// The IDX files of MNIST and its relatives (LeCun, Cortes & Burges, "The MNIST database"), plain or gzip.
//
// train-images-idx3-ubyte and train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte (the
// two of the test split may be missing), each also spelled with a dot (train-images.idx3-ubyte) and with .gz
// at the end. Classes are named by their numbers from 0 to the largest label, with leading zeros where there
// are more than ten.
#pragma once

#include <filesystem>
#include <memory>

#include "mnist_dist/data/pack/image_source.hpp"

namespace mnist_dist::data {

/// Whether `root` holds one of the files with images.
[[nodiscard]] bool has_idx_files(const std::filesystem::path& root);

/// Reads all images into memory.
/// @throws Error file_system: cannot be read; bad_data: the files are damaged or do not fit together
[[nodiscard]] std::unique_ptr<ImageSource> open_idx_files(const std::filesystem::path& root);

}  // namespace mnist_dist::data
