#include "mnist_dist/train/trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>

#include "block_costs.hpp"
#include "mnist_dist/comm/agreement.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/nn/softmax_cross_entropy.hpp"
#include "mnist_dist/optim/gradient_clipping.hpp"

namespace mnist_dist::train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The most shards that a rank can have.
std::size_t most_shards(const Settings& settings, int ranks) {
  return shards_of_rank(settings.shards, ranks, ranks - 1).size();
}

std::vector<nn::Activations> views_of(const comm::HostMemory& memory, int ranks_of_host,
                                      const nn::Architecture& architecture, std::size_t max_rows,
                                      std::size_t max_microbatches) {
  std::vector<nn::Activations> views;
  views.reserve(static_cast<std::size_t>(ranks_of_host));
  for (int rank = 0; rank < ranks_of_host; ++rank) {
    views.emplace_back(architecture, max_rows, max_microbatches, memory.floats(rank));
  }
  return views;
}

/// Collective.
std::unique_ptr<comm::GradientReduction> make_reduction(const comm::Communicator& ranks, const comm::Communicator& host,
                                                        const Settings& settings,
                                                        const std::vector<comm::ParameterBlock>& blocks,
                                                        const comm::Derivation& derivation) {
  return settings.reduction == "mpi" ? comm::make_mpi_reduction(ranks, host, settings.shards, blocks, derivation)
                                     : comm::make_tree_reduction(ranks, host, settings.shards, blocks, derivation);
}

}  // namespace

Trainer::Trainer(const comm::Communicator& ranks, const comm::Communicator& host, const Settings& settings,
                 const TrainingData& data, const nn::Architecture& architecture)
    : ranks_(ranks),
      settings_(settings),
      data_(data),
      network_(architecture, data.standardizer.offsets()),
      max_rows_(std::max(kScoringRows, most_shards(settings, ranks.size()) * data.plan.largest_microbatch())),
      activation_memory_(host, sizeof(float) * nn::Activations::memory_size(architecture, max_rows_,
                                                                            most_shards(settings, ranks.size()))),
      activations_(
          views_of(activation_memory_, host.size(), architecture, max_rows_, most_shards(settings, ranks.size()))),
      workspace_(architecture, max_rows_, activations_[static_cast<std::size_t>(host.rank())]),
      batch_(workspace_.inputs()),
      reduction_(make_reduction(ranks, host, settings, blocks_with_costs(ranks, network_, data, settings.shards),
                                derivation())),
      update_(settings, network_, reduction_->my_range(), data.plan.steps()),
      microbatch_rows_(data.training_slices.size()),
      my_shard_losses_(data.training_slices.size()) {
  std::vector<float> initial(network_.padded_size());
  network_.initialize(initial, settings.seed);
  reduction_->set_parameters(initial);
  if (update_.keeps_average()) update_.begin_average(reduction_->my_range().of(std::span<const float>(initial)));
  begin_epoch();
}

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

void Trainer::step() {
  // Every microbatch's gradient is scaled by the rows of the global batch, so their sum is the gradient of its mean loss.
  const float scale = 1.0F / static_cast<float>(data_.plan.rows_of_step(steps_done_in_epoch_));
  clock_ = PhaseClock(times_);
  load_microbatches();
  clock_.end_of(StepPhase::load);
  network_.forward(parameter_views(), batch_.row_ids(), *dropout_, workspace_);
  add_losses(scale);
  clock_.end_of(StepPhase::forward);
  network_.backward(parameter_views(), microbatch_rows_, workspace_);
  const std::vector<nn::Microbatch> summed = summed_microbatches(steps_done_in_epoch_);
  clock_.end_of(StepPhase::backward);
  ++steps_done_;
  ++steps_done_in_epoch_;
  update_.begin_step(steps_done_, 1);
  const auto gradient_of = [&](ParameterRange block, std::span<float* const> sums) {
    clock_.end_of(StepPhase::wait);
    network_.gradient(block, summed, sums, block.of(reduction_->parameters()));
    clock_.end_of(StepPhase::gradient);
  };
  const auto update = [&](ParameterRange block, std::span<float> gradient, std::span<float> parameters) {
    clock_.end_of(StepPhase::wait);
    update_.apply(block, gradient, parameters);
    clock_.end_of(StepPhase::update);
  };
  if (settings_.clip_norm > 0) {
    reduction_->reduce_and_update(gradient_of, update, [&](auto blocks, auto gradient) {
      update_.begin_step(steps_done_, clip_factor(blocks, gradient));
    });
  } else {
    reduction_->reduce_and_update(gradient_of, update);
  }
  clock_.end_of(StepPhase::wait);
  if (times_ != nullptr) ++times_->steps;
}

double Trainer::clip_factor(std::span<const ParameterRange> blocks, std::span<const float> gradient) const {
  // Each block's squares by themselves, then the blocks in their order: the same sum whoever has which blocks.
  std::vector<double> squares;
  for (const ParameterRange& block : blocks) {
    squares.push_back(
        optim::sum_of_squares(gradient.subspan(block.begin - reduction_->my_range().begin, block.size())));
  }
  if (settings_.reduction != "mpi") {  // there every rank has all of them
    std::vector<double> all(network_.blocks().size());
    ranks_.all_gather_parts(std::span<const double>(squares), std::span(all));
    squares = std::move(all);
  }
  return optim::clip_factor(std::accumulate(squares.begin(), squares.end(), 0.0), settings_.clip_norm);
}

void Trainer::load_microbatches() {
  batch_.clear();
  const std::size_t first_shard = shards_of_rank(settings_.shards, ranks_.size(), ranks_.rank()).begin;
  for (std::size_t i = 0; i < microbatch_rows_.size(); ++i) {
    const data::ShardPlan::Slice microbatch = data_.plan.microbatch(first_shard + i, steps_done_in_epoch_);
    batch_.append(data_.training_rows, std::span(row_orders_[i]).subspan(microbatch.begin, microbatch.size()),
                  data_.standardizer, augmentation_ ? &*augmentation_ : nullptr);
    microbatch_rows_[i] = microbatch.size();
  }
}

void Trainer::add_losses(float scale) {
  std::size_t first = 0;
  for (std::size_t i = 0; i < microbatch_rows_.size(); ++i) {
    const std::size_t rows = microbatch_rows_[i];
    my_shard_losses_[i] +=
        nn::softmax_cross_entropy(workspace_.logits().rows_from(first, rows), batch_.labels().subspan(first, rows),
                                  scale, settings_.label_smoothing);
    first += rows;
  }
}

std::vector<nn::Microbatch> Trainer::summed_microbatches(std::size_t step) const {
  std::vector<nn::Microbatch> microbatches;
  for (const comm::SummedShard& summed : reduction_->summed_shards()) {
    nn::Microbatch next{.activations = &activations_[static_cast<std::size_t>(summed.host_rank)],
                        .rows = data_.plan.microbatch(summed.shard, step).size(),
                        .merges = summed.merges};
    // A rank's microbatches lie one after the other in its activations.
    if (!microbatches.empty() && microbatches.back().activations == next.activations) {
      next.index = microbatches.back().index + 1;
      next.first_row = microbatches.back().first_row + microbatches.back().rows;
    }
    microbatches.push_back(next);
  }
  return microbatches;
}

comm::Derivation Trainer::derivation() {
  const auto derive = [this](ParameterRange block, std::span<const float> parameters, std::span<float> derived) {
    clock_.end_of(StepPhase::wait);
    network_.derive(block, parameters, derived);
    clock_.end_of(StepPhase::update);
  };
  return {network_.derived_size(), derive};
}

nn::Parameters Trainer::parameter_views() const {
  return {reduction_->parameters(), reduction_->derived()};
}

std::vector<float> Trainer::parameters() const {
  return nn::without_padding(network_.architecture(), reduction_->parameters());
}

bool Trainer::run_steps(const std::function<bool()>& stop_now) {
  const Clock::time_point start = Clock::now();
  const double seconds_before = seconds_in_epoch_;
  bool stopped = false;
  while (steps_done_in_epoch_ < data_.plan.steps() && !stopped) {
    step();
    stopped = stop_now();
  }
  seconds_in_epoch_ = seconds_before + seconds_since(start);
  return steps_done_in_epoch_ == data_.plan.steps();
}

void Trainer::run_unscored_steps(std::int64_t count) {
  for (; count > 0; --count) {
    if (steps_done_in_epoch_ == data_.plan.steps()) begin_next_epoch();
    step();
  }
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
    score_rows(network_, parameter_views(), data_.holdout_rows, rows.begin, rows.end, data_.standardizer, batch_,
               workspace_, outcomes);
  }
  if (ranks_.rank() == 0) scored_parameters_ = parameters();
  if (update_.keeps_average()) reduction_->set_parameters(current);
  return outcomes;
}

Checkpoint Trainer::capture() const {
  Checkpoint checkpoint;
  checkpoint.epochs_done = epochs_done_;
  checkpoint.steps_done = steps_done_;
  checkpoint.steps_done_in_epoch = static_cast<std::int64_t>(steps_done_in_epoch_);
  checkpoint.seconds_in_epoch = seconds_in_epoch_;
  checkpoint.shard_losses = all_shard_losses();
  checkpoint.first_moment = gather(update_.state().first_moment);
  checkpoint.second_moment = gather(update_.state().second_moment);
  if (update_.keeps_average()) checkpoint.average = gather(update_.state().average);
  if (ranks_.rank() == 0) checkpoint.parameters = parameters();
  return checkpoint;
}

std::vector<float> Trainer::gather(const std::vector<float>& of_my_range) const {
  const std::vector<float> all = reduction_->gather(of_my_range);
  return ranks_.rank() == 0 ? nn::without_padding(network_.architecture(), all) : all;
}

void Trainer::copy_my_range(const std::vector<float>& without_padding, std::vector<float>& of_my_range) const {
  const std::vector<float> padded = nn::with_padding(network_.architecture(), without_padding);
  std::ranges::copy(reduction_->my_range().of(std::span(padded)), of_my_range.begin());
}

void Trainer::restore(const Checkpoint& checkpoint) {
  const nn::Architecture& architecture = network_.architecture();
  if (checkpoint.parameters.size() != nn::parameter_count(architecture) ||
      checkpoint.shard_losses.size() != settings_.shards ||
      checkpoint.average.size() != (update_.keeps_average() ? checkpoint.parameters.size() : 0)) {
    throw comm::AgreedError(ExitCode::bad_data, "the checkpoint does not fit the settings that it holds itself", 0);
  }
  reduction_->set_parameters(nn::with_padding(architecture, checkpoint.parameters));
  copy_my_range(checkpoint.first_moment, update_.state().first_moment);
  copy_my_range(checkpoint.second_moment, update_.state().second_moment);
  if (update_.keeps_average()) copy_my_range(checkpoint.average, update_.state().average);
  const ShardBlock shards = shards_of_rank(settings_.shards, ranks_.size(), ranks_.rank());
  std::copy_n(checkpoint.shard_losses.begin() + static_cast<std::ptrdiff_t>(shards.begin), shards.size(),
              my_shard_losses_.begin());
  epochs_done_ = static_cast<std::uint32_t>(checkpoint.epochs_done);
  steps_done_ = checkpoint.steps_done;
  steps_done_in_epoch_ = static_cast<std::size_t>(checkpoint.steps_done_in_epoch);
  seconds_in_epoch_ = checkpoint.seconds_in_epoch;
  begin_epoch();
}

}  // namespace mnist_dist::train
