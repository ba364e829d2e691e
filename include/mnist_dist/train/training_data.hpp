// What a rank holds of the data set while it trains. Local, but for read_training_data().
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/core/sum_tree.hpp"
#include "mnist_dist/data/augment/augmentation.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/data/epoch_plan.hpp"
#include "mnist_dist/data/holdout.hpp"
#include "mnist_dist/data/image_rows.hpp"
#include "mnist_dist/nn/network.hpp"
#include "mnist_dist/train/settings.hpp"

namespace mnist_dist::train {

/// How the settings want training images changed.
[[nodiscard]] data::AugmentationSettings augmentation_of(const Settings& settings);

/// The standard deviation by which each pixel is divided: that of the data set, but at least the settings' floor.
/// Without a floor a pixel that is nearly always black, such as one near the border, gets huge values where
/// augmentation moves something there. [image size]
[[nodiscard]] std::vector<float> deviation_of(const data::DatasetFile& file, const Settings& settings);

/// The network that the settings and the data set give.
[[nodiscard]] nn::Architecture architecture_for(const Settings& settings, const data::DatasetFile& file);

/// What a rank needs of the data set: its shards' rows, and how all rows are divided.
struct TrainingData {
  /// Reads this rank's rows. @throws Error bad_data: fewer training rows than shards
  TrainingData(const data::DatasetFile& file, const Settings& settings, ShardBlock my_shards);

  std::size_t classes;
  data::ImageShape image_shape;
  std::size_t training_row_count;  // over all shards
  std::size_t holdout_row_count;
  std::vector<std::size_t> training_rows_of_class;  // over all shards
  std::vector<std::size_t> holdout_rows_of_class;
  std::vector<float> class_weights;  // of the loss; empty where all count alike
  nn::InputScaling input_scaling;
  data::ShardPlan plan;
  data::ImageRows training_rows;                        // of my shards, shard after shard
  data::ImageRows holdout_rows;                         // likewise
  std::vector<data::ShardPlan::Slice> training_slices;  // by my shard: its part of training_rows
  std::vector<data::ShardPlan::Slice> holdout_slices;   // likewise

 private:
  TrainingData(const data::DatasetFile& file, const Settings& settings, ShardBlock my_shards,
               const std::vector<std::int32_t>& labels);
  TrainingData(const data::DatasetFile& file, const Settings& settings, ShardBlock my_shards,
               const std::vector<std::int32_t>& labels, const data::HoldoutSplit& split);
};

/// Collective: reads this rank's rows. @throws AgreedError at all ranks when one of them cannot
[[nodiscard]] TrainingData read_training_data(const comm::Communicator& ranks, const Settings& settings,
                                              const data::DatasetFile& file);

}  // namespace mnist_dist::train
