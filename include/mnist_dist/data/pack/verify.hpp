// Checks a data set file against itself: `h5pack verify`.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "mnist_dist/data/dataset_file.hpp"

namespace mnist_dist::data {

/// Computes the content hash, the mean and the standard deviation from the rows and compares them with those
/// that the file states. Local. @return one line for each difference; empty when the file is whole
/// @param progress is told how many of all rows are done; may throw to give up
/// @throws Error (bad_data, file_system) when a part cannot be read, or a label is none
[[nodiscard]] std::vector<std::string> verify(
    const DatasetFile& file,
    const std::function<void(std::size_t done, std::size_t total)>& progress = [](std::size_t, std::size_t) {});

}  // namespace mnist_dist::data
