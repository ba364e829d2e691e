// Classes of different sizes: weights that make up for them, and warnings of what they do to a training. Local.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mnist_dist/core/named_values.hpp"

namespace mnist_dist::train {

enum class ClassWeights { none, balanced };
inline constexpr NamedValues<ClassWeights, 2> kClassWeights = {
    {{ClassWeights::none, "none"}, {ClassWeights::balanced, "balanced"}}};

/// How many of some rows each class has.
[[nodiscard]] std::vector<std::size_t> count_classes(std::span<const std::int32_t> labels,
                                                     std::span<const std::uint64_t> rows, std::size_t classes);

/// n / (k n_c) for each class: n rows, k classes that have rows, n_c rows of this class (scikit-learn's "balanced").
/// The mean over all rows is 1, so the weighted loss of an epoch is a mean, too. 0 for a class without rows.
[[nodiscard]] std::vector<float> balanced_weights(const std::vector<std::size_t>& rows_of_class);

/// What a user should know before training on such classes, a line each.
/// @param training, holdout by class: its rows  @param weights those of the loss
[[nodiscard]] std::vector<std::string> class_warnings(const std::vector<std::string>& classes,
                                                      const std::vector<std::size_t>& training,
                                                      const std::vector<std::size_t>& holdout, ClassWeights weights);

}  // namespace mnist_dist::train
