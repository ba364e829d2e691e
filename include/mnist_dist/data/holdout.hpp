// Which training rows are kept back for validation. Local; the same at every rank.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mnist_dist/data/dataset_file.hpp"

namespace mnist_dist::data {

/// Row numbers in the file, ascending. Every row is in one of the two.
struct HoldoutSplit {
  std::vector<std::uint64_t> training_rows;
  std::vector<std::uint64_t> holdout_rows;
};

/// Stratified: of each class, `fraction` of its rows (rounded to the nearest number), drawn without
/// replacement.
/// @param labels [rows], each below `classes`  @param fraction in [0, 1)
[[nodiscard]] HoldoutSplit split_holdout(std::span<const std::int32_t> labels, std::size_t classes, double fraction,
                                         std::uint64_t seed);

/// The rows that the data set names as its holdout, or where it names none, split_holdout()'s draw.
/// @param labels of all training rows  @throws Error (bad_data)
[[nodiscard]] HoldoutSplit holdout_of(const DatasetFile& file, std::span<const std::int32_t> labels, double fraction,
                                      std::uint64_t seed);

}  // namespace mnist_dist::data
