#include "mnist_dist/data/holdout.hpp"

#include <cmath>

#include "mnist_dist/core/random.hpp"

namespace mnist_dist::data {
namespace {

HoldoutSplit divide(const std::vector<bool>& held_out) {
  HoldoutSplit split;
  for (std::size_t row = 0; row < held_out.size(); ++row) {
    (held_out[row] ? split.holdout_rows : split.training_rows).push_back(row);
  }
  return split;
}

}  // namespace

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
  return divide(held_out);
}

HoldoutSplit holdout_of(const DatasetFile& file, std::span<const std::int32_t> labels, double fraction,
                        std::uint64_t seed) {
  const std::vector<std::uint64_t> rows = file.holdout_rows();
  if (rows.empty()) return split_holdout(labels, file.classes().size(), fraction, seed);
  std::vector<bool> held_out(labels.size());
  for (const std::uint64_t row : rows) held_out[row] = true;
  return divide(held_out);
}

}  // namespace mnist_dist::data
