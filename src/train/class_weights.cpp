#include "mnist_dist/train/class_weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "mnist_dist/core/counted.hpp"
#include "mnist_dist/core/error.hpp"

namespace mnist_dist::train {
namespace {

constexpr std::size_t kFewOfHoldout = 5;  // images of a class
constexpr std::size_t kOutOfBalance = 10;

std::size_t smallest(const std::vector<std::size_t>& counts) {
  return static_cast<std::size_t>(std::ranges::min_element(counts) - counts.begin());
}

std::size_t sum(const std::vector<std::size_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::size_t{0});
}

}  // namespace

std::vector<std::size_t> count_classes(std::span<const std::int32_t> labels, std::span<const std::uint64_t> rows,
                                       std::size_t classes) {
  std::vector<std::size_t> counts(classes);
  for (const std::uint64_t row : rows) ++counts[static_cast<std::size_t>(labels[row])];
  return counts;
}

std::vector<float> balanced_weights(const std::vector<std::size_t>& rows_of_class) {
  const auto rows = static_cast<double>(sum(rows_of_class));
  const auto classes = static_cast<double>(rows_of_class.size()) -
                       static_cast<double>(std::ranges::count(rows_of_class, std::size_t{0}));
  std::vector<float> weights;
  weights.reserve(rows_of_class.size());
  for (const std::size_t count : rows_of_class) {
    weights.push_back(count == 0 ? 0.0F : static_cast<float>(rows / (classes * static_cast<double>(count))));
  }
  return weights;
}

std::vector<std::string> class_warnings(const std::vector<std::string>& classes,
                                        const std::vector<std::size_t>& training,
                                        const std::vector<std::size_t>& holdout, ClassWeights weights) {
  std::vector<std::string> warnings;
  if (classes.size() == 1) {
    return {
        fmt::format("the data set has one class, {}: every answer will be right, and say nothing; pack a folder "
                    "for each class",
                    printable(classes.front()))};
  }
  const std::size_t few = smallest(training);
  const std::size_t many = static_cast<std::size_t>(std::ranges::max_element(training) - training.begin());
  const std::string name = printable(classes[few]);
  if (training[few] + holdout[few] <= 1) {
    warnings.push_back(fmt::format("class {} has {}: pack more, or leave the class out", name,
                                   counted(training[few] + holdout[few], "training image")));
  }
  if (weights == ClassWeights::none && training[many] >= kOutOfBalance * training[few]) {
    warnings.push_back(fmt::format("class {} trains on {}, class {} on {}: --class-weights balanced makes up for it",
                                   name, counted(training[few], "image"), printable(classes[many]), training[many]));
  }
  const std::size_t least = smallest(holdout);
  if (sum(holdout) > 0 && holdout[least] < kFewOfHoldout) {
    warnings.push_back(
        fmt::format("the holdout has {} of class {}, too few for a score to rely on: pack more "
                    "images, or give a larger --holdout where the data set names none",
                    counted(holdout[least], "image"), printable(classes[least])));
  }
  return warnings;
}

}  // namespace mnist_dist::train
