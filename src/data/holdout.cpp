#include "mnist_dist/data/holdout.hpp"

#include <cmath>

#include "mnist_dist/core/random.hpp"

namespace mnist_dist::data {

HoldoutSplit split_holdout(std::span<const std::int32_t> labels, std::size_t classes, double fraction,
                           std::uint64_t seed) {
  std::vector<std::vector<std::uint64_t>> rows_of_class(classes);
  for (std::size_t row = 0; row < labels.size(); ++row) {
    rows_of_class[static_cast<std::size_t>(labels[row])].push_back(row);
  }
  std::vector<bool> held_out(labels.size());
  for (std::size_t label = 0; label < classes; ++label) {
    std::vector<std::uint64_t>& rows = rows_of_class[label];
    RandomStream stream({.seed = seed, .purpose = Purpose::holdout, .epoch = 0, .id = label});
    stream.shuffle(std::span(rows));
    const auto count = static_cast<std::size_t>(std::lround(fraction * static_cast<double>(rows.size())));
    for (std::size_t i = 0; i < count; ++i) held_out[rows[i]] = true;
  }
  HoldoutSplit split;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    (held_out[row] ? split.holdout_rows : split.training_rows).push_back(row);
  }
  return split;
}

}  // namespace mnist_dist::data
