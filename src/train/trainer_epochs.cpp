// A trainer's epochs: where they begin and end, what is scored after them, and what a checkpoint holds of them.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>

#include "mnist_dist/comm/agreement.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/train/trainer.hpp"

namespace mnist_dist::train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

void Trainer::begin_epoch() {
  const std::uint32_t epoch = epochs_done_ + 1;
  dropout_.emplace(settings_.dropout, settings_.seed, epoch);
  const data::AugmentationSettings augmentation = augmentation_of(settings_);
  if (augmentation.active()) augmentation_.emplace(data_.image_shape, augmentation, settings_.seed, epoch);
  row_orders_.clear();
  const std::size_t first_shard = shards_of_rank(settings_.shards, ranks_.size(), ranks_.rank()).begin;
  for (std::size_t i = 0; i < data_.training_slices.size(); ++i) {
    const data::ShardPlan::Slice rows = data_.training_slices[i];
    row_orders_.push_back(data::shard_order(settings_.seed, epoch, first_shard + i, rows.size()));
    for (std::uint32_t& index : row_orders_.back()) index += static_cast<std::uint32_t>(rows.begin);
  }
}

void Trainer::begin_next_epoch() {
  ++epochs_done_;
  std::ranges::fill(my_shard_losses_, 0.0);
  steps_done_in_epoch_ = 0;
  begin_epoch();
}

bool Trainer::run_steps(const std::function<bool()>& stop_now) {
  const Clock::time_point start = Clock::now();
  const double seconds_before = seconds_in_epoch_;
  bool stopped = false;
  while (steps_done_in_epoch_ < data_.plan.steps() && !stopped) {
    step();
    stopped = stop_now();
  }
  await_parameters();
  seconds_in_epoch_ = seconds_before + seconds_since(start);
  return steps_done_in_epoch_ == data_.plan.steps();
}

void Trainer::run_unscored_steps(std::int64_t count) {
  for (; count > 0; --count) {
    if (steps_done_in_epoch_ == data_.plan.steps()) begin_next_epoch();
    step();
  }
  await_parameters();
}

EpochProgress Trainer::progress() const {
  const std::size_t first_shard = shards_of_rank(settings_.shards, ranks_.size(), ranks_.rank()).begin;
  std::size_t my_rows = 0;
  for (std::size_t i = 0; i < my_shard_losses_.size(); ++i) {
    my_rows += data_.plan.microbatch(first_shard + i, steps_done_in_epoch_ - 1).end;
  }
  const double loss = std::accumulate(my_shard_losses_.begin(), my_shard_losses_.end(), 0.0);
  return {.epoch = epoch(),
          .steps_done = steps_done_in_epoch_,
          .steps = data_.plan.steps(),
          .rows_done = std::min<std::uint64_t>(steps_done_in_epoch_ * settings_.batch_size, data_.training_row_count),
          .loss = loss / static_cast<double>(std::max<std::size_t>(my_rows, 1))};
}

std::vector<double> Trainer::all_shard_losses() const {
  std::vector<double> losses(settings_.shards);
  ranks_.all_gather_parts(std::span<const double>(my_shard_losses_), std::span(losses));
  return losses;
}

EpochMetrics Trainer::finish_epoch() {
  const Clock::time_point start = Clock::now();
  EpochMetrics metrics;
  metrics.epoch = epochs_done_ + 1;
  metrics.rows = static_cast<std::int64_t>(data_.training_row_count);
  metrics.steps = steps_done_;
  double loss = 0;
  for (const double shard_loss : all_shard_losses()) loss += shard_loss;
  metrics.loss = loss / static_cast<double>(data_.training_row_count);
  if (!std::isfinite(metrics.loss)) {
    throw comm::AgreedError(ExitCode::usage,
                            fmt::format("the loss is no finite number any more after epoch {}: training has diverged; "
                                        "try a smaller --learning-rate than {}",
                                        metrics.epoch, settings_.learning_rate),
                            0);
  }
  ConfusionMatrix outcomes = score_holdout();
  ranks_.sum(outcomes.counts());
  const bool scored = data_.holdout_row_count > 0;
  metrics.score = scored ? outcomes.macro_f_beta(settings_.f_beta) : std::numeric_limits<double>::quiet_NaN();
  metrics.accuracy = scored ? outcomes.accuracy() : std::numeric_limits<double>::quiet_NaN();
  begin_next_epoch();
  metrics.seconds = seconds_in_epoch_ + seconds_since(start);
  seconds_in_epoch_ = 0;
  return metrics;
}

ConfusionMatrix Trainer::score_holdout() {
  // The average takes the parameters' place while it is scored.
  const ParameterRange mine = reduction_->my_range();
  std::vector<float> current;
  if (update_.keeps_average()) {
    current.assign(reduction_->parameters().begin(), reduction_->parameters().end());
    std::vector<float> average(current);
    std::ranges::copy(update_.state().average, mine.of(std::span(average)).begin());
    reduction_->set_parameters(average);
  }
  ConfusionMatrix outcomes(data_.classes);
  for (const data::ShardPlan::Slice rows : data_.holdout_slices) {
    score_rows(network_, reduction_->parameters(), data_.holdout_rows, rows.begin, rows.end, batch_, workspace_,
               outcomes);
  }
  if (ranks_.rank() == 0) scored_parameters_ = parameters();
  if (update_.keeps_average()) reduction_->set_parameters(current);
  return outcomes;
}

void Trainer::capture(TrainerState& state) {
  state.epochs_done = epochs_done_;
  state.steps_done = steps_done_;
  state.steps_done_in_epoch = static_cast<std::int64_t>(steps_done_in_epoch_);
  state.seconds_in_epoch = seconds_in_epoch_;
  state.shard_losses = all_shard_losses();
  gather(update_.state().first_moment, state.first_moment);
  if (update_.has_second_moment()) gather(update_.state().second_moment, state.second_moment);
  if (update_.keeps_average()) gather(update_.state().average, state.average);
  if (ranks_.rank() == 0) nn::without_padding(network_.architecture(), reduction_->parameters(), state.parameters);
}

void Trainer::gather(const std::vector<float>& of_my_range, std::vector<float>& all) {
  reduction_->gather(of_my_range, gathered_);
  if (ranks_.rank() == 0) nn::without_padding(network_.architecture(), gathered_, all);
}

void Trainer::copy_my_range(const std::vector<float>& without_padding, std::vector<float>& of_my_range) const {
  const std::vector<float> padded = nn::with_padding(network_.architecture(), without_padding);
  std::ranges::copy(reduction_->my_range().of(std::span(padded)), of_my_range.begin());
}

void Trainer::restore(const TrainerState& state) {
  const nn::Architecture& architecture = network_.architecture();
  const std::size_t parameters = nn::parameter_count(architecture);
  if (state.parameters.size() != parameters || state.shard_losses.size() != settings_.shards ||
      state.first_moment.size() != parameters ||
      state.second_moment.size() != (update_.has_second_moment() ? parameters : 0) ||
      state.average.size() != (update_.keeps_average() ? parameters : 0) || state.steps_done < 0 ||
      state.steps_done_in_epoch < 0 || static_cast<std::size_t>(state.steps_done_in_epoch) >= data_.plan.steps()) {
    throw comm::AgreedError(ExitCode::bad_data, "the checkpoint does not fit the settings that it holds itself", 0);
  }
  reduction_->set_parameters(nn::with_padding(architecture, state.parameters));
  copy_my_range(state.first_moment, update_.state().first_moment);
  if (update_.has_second_moment()) copy_my_range(state.second_moment, update_.state().second_moment);
  if (update_.keeps_average()) copy_my_range(state.average, update_.state().average);
  const ShardBlock shards = shards_of_rank(settings_.shards, ranks_.size(), ranks_.rank());
  std::copy_n(state.shard_losses.begin() + static_cast<std::ptrdiff_t>(shards.begin), shards.size(),
              my_shard_losses_.begin());
  epochs_done_ = static_cast<std::uint32_t>(state.epochs_done);
  steps_done_ = state.steps_done;
  steps_done_in_epoch_ = static_cast<std::size_t>(state.steps_done_in_epoch);
  seconds_in_epoch_ = state.seconds_in_epoch;
  begin_epoch();
}

}  // namespace mnist_dist::train
