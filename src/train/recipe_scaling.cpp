#include "mnist_dist/train/recipe_scaling.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace mnist_dist::train {
namespace {

constexpr double kSide = 28;
constexpr std::size_t kStepsOfEpoch = 70;
constexpr std::size_t kSmallestBatch = 10;
constexpr std::size_t kEpochsOfWarmup = 3;
constexpr double kFewestOfHoldout = 50;  // images of a class

/// To three digits behind the point, as people read them.
double scaled(double pixels, double factor) {
  return std::round(1000 * pixels * factor) / 1000;
}

}  // namespace

DataSize size_of(const data::DatasetFile& file) {
  return {.shape = file.image_shape(),
          .classes = file.classes().size(),
          .training_rows = file.rows(data::Split::training),
          .testing_rows = file.rows(data::Split::testing),
          .holdout_rows = file.holdout_rows().size()};
}

Settings scaled_to_data(const Settings& settings, const std::set<std::string>& of_recipe, const DataSize& data) {
  const double factor = static_cast<double>(std::min(data.shape.height, data.shape.width)) / kSide;
  Settings scaled_settings = settings;
  scaled_settings.shift = scaled(settings.shift, factor);
  scaled_settings.elastic = scaled(settings.elastic, factor);
  scaled_settings.elastic_smoothing = std::max(1.0, scaled(settings.elastic_smoothing, factor));
  scaled_settings.batch_size = std::min<std::uint64_t>(
      settings.batch_size, std::max<std::uint64_t>(kSmallestBatch, data.training_rows / kStepsOfEpoch));
  const double holdout_of_class =
      settings.holdout * static_cast<double>(data.training_rows) / static_cast<double>(data.classes);
  const bool may_go = data.testing_rows > 0 && data.holdout_rows == 0;
  if (holdout_of_class < kFewestOfHoldout && may_go) scaled_settings.holdout = 0;

  Settings result = settings;
  override_settings(result, scaled_settings, of_recipe);
  if (of_recipe.contains("warmup-steps")) {
    result.warmup_steps =
        std::min<std::uint64_t>(settings.warmup_steps, kEpochsOfWarmup * data.training_rows / result.batch_size);
  }
  return result;
}

}  // namespace mnist_dist::train
