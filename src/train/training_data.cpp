#include "mnist_dist/train/training_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "mnist_dist/comm/agreement.hpp"
#include "mnist_dist/core/counted.hpp"
#include "mnist_dist/core/error.hpp"

namespace mnist_dist::train {
namespace {

std::span<const std::uint64_t> part(const std::vector<std::uint64_t>& rows, std::size_t begin, std::size_t end) {
  return std::span(rows).subspan(begin, end - begin);
}

/// The holdout rows are divided evenly; training does not touch them, so their order is of no consequence.
std::size_t holdout_start(const data::HoldoutSplit& split, const Settings& settings, std::size_t shard) {
  return split.holdout_rows.size() * shard / settings.shards;
}

data::HoldoutSplit checked_split(const data::DatasetFile& file, const Settings& settings,
                                 const std::vector<std::int32_t>& labels) {
  data::HoldoutSplit split = data::holdout_of(file, labels, settings.holdout, settings.seed);
  if (split.training_rows.size() < settings.shards) {
    throw Error(ExitCode::bad_data,
                fmt::format("{} leaves {} for {}: pack more images, or give a smaller --shards "
                            "or --holdout",
                            printable(file.path().string()), counted(split.training_rows.size(), "training row"),
                            counted(settings.shards, "shard")));
  }
  return split;
}

}  // namespace

data::AugmentationSettings augmentation_of(const Settings& settings) {
  return {.rotation = settings.rotation,
          .scaling = settings.scaling,
          .shear = settings.shear,
          .shift = settings.shift,
          .elastic = settings.elastic,
          .elastic_smoothing = settings.elastic_smoothing};
}

std::vector<float> deviation_of(const data::DatasetFile& file, const Settings& settings) {
  std::vector<float> deviation = file.standard_deviation();
  for (float& value : deviation) value = std::max(value, static_cast<float>(settings.deviation_floor));
  return deviation;
}

nn::Architecture architecture_for(const Settings& settings, const data::DatasetFile& file) {
  return {.inputs = file.image_shape().size(),
          .hidden = {settings.hidden.begin(), settings.hidden.end()},
          .outputs = file.classes().size(),
          .leaky_relu_slope = static_cast<float>(settings.leaky_relu_slope),
          .activation = activation_of(settings)};
}

TrainingData::TrainingData(const data::DatasetFile& file, const Settings& settings, ShardBlock my_shards)
    : TrainingData(file, settings, my_shards, file.labels(data::Split::training)) {}

TrainingData::TrainingData(const data::DatasetFile& file, const Settings& settings, ShardBlock my_shards,
                           const std::vector<std::int32_t>& labels)
    : TrainingData(file, settings, my_shards, labels, checked_split(file, settings, labels)) {}

TrainingData::TrainingData(const data::DatasetFile& file, const Settings& settings, ShardBlock my_shards,
                           const std::vector<std::int32_t>& labels, const data::HoldoutSplit& split)
    : classes(file.classes().size()),
      image_shape(file.image_shape()),
      training_row_count(split.training_rows.size()),
      holdout_row_count(split.holdout_rows.size()),
      training_rows_of_class(count_classes(labels, split.training_rows, classes)),
      holdout_rows_of_class(count_classes(labels, split.holdout_rows, classes)),
      class_weights(class_weights_of(settings) == ClassWeights::balanced ? balanced_weights(training_rows_of_class)
                                                                         : std::vector<float>()),
      input_scaling(nn::standardizing(file.mean(), deviation_of(file, settings))),
      plan(training_row_count, settings.batch_size, settings.shards),
      training_rows(file, data::Split::training,
                    part(split.training_rows, plan.rows_of_shard(my_shards.begin).begin,
                         plan.rows_of_shard(my_shards.end - 1).end),
                    labels),
      holdout_rows(file, data::Split::training,
                   part(split.holdout_rows, holdout_start(split, settings, my_shards.begin),
                        holdout_start(split, settings, my_shards.end)),
                   labels) {
  const std::size_t first_training_row = plan.rows_of_shard(my_shards.begin).begin;
  const std::size_t first_holdout_row = holdout_start(split, settings, my_shards.begin);
  for (std::size_t shard = my_shards.begin; shard < my_shards.end; ++shard) {
    const data::ShardPlan::Slice rows = plan.rows_of_shard(shard);
    training_slices.push_back({rows.begin - first_training_row, rows.end - first_training_row});
    holdout_slices.push_back({holdout_start(split, settings, shard) - first_holdout_row,
                              holdout_start(split, settings, shard + 1) - first_holdout_row});
  }
}

TrainingData read_training_data(const comm::Communicator& ranks, const Settings& settings,
                                const data::DatasetFile& file) {
  std::optional<TrainingData> data;
  comm::run_and_agree(ranks, [&] {
    check_shards(settings, ranks.size());
    data.emplace(file, settings, shards_of_rank(settings.shards, ranks.size(), ranks.rank()));
  });
  return std::move(*data);
}

}  // namespace mnist_dist::train
