// Recipes are made for MNIST: 60,000 images of 28x28. What becomes of them for smaller images, and for fewer. Local.
#pragma once

#include <cstddef>
#include <set>
#include <string>

#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/train/settings.hpp"

namespace mnist_dist::train {

struct DataSize {
  data::ImageShape shape;
  std::size_t classes = 0;
  std::size_t training_rows = 0;  ///< with those of the holdout
  std::size_t testing_rows = 0;
  std::size_t holdout_rows = 0;  ///< that the data set names
};

[[nodiscard]] DataSize size_of(const data::DatasetFile& file);

/// A recipe's settings for this data set. What augmentation does in pixels (shift, elastic, elastic-smoothing) is in
/// proportion to the shorter side of an image, 28 being 1. A batch is as large as leaves an epoch 70 steps, but has at
/// least 10 rows, and never more than the recipe says. The warm-up takes at most three epochs.
/// Where a holdout would have fewer than 50 images a class, and there are test images to measure with, there is none
/// (unless the data set names one): the best of so many epochs on so few images is the luckiest one.
/// @param of_recipe names the settings that the recipe decided, and nobody else: the others stay
[[nodiscard]] Settings scaled_to_data(const Settings& settings, const std::set<std::string>& of_recipe,
                                      const DataSize& data);

}  // namespace mnist_dist::train
