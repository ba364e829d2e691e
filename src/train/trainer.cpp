#include "mnist_dist/train/trainer.hpp"

#include <algorithm>
#include <numeric>

#include "block_costs.hpp"
#include "mnist_dist/core/memory.hpp"
#include "mnist_dist/nn/softmax_cross_entropy.hpp"
#include "mnist_dist/optim/gradient_clipping.hpp"

namespace mnist_dist::train {
namespace {

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
                                                        const std::vector<comm::ParameterBlock>& blocks) {
  return settings.reduction == "mpi" ? comm::make_mpi_reduction(ranks, host, settings.shards, blocks)
                                     : comm::make_tree_reduction(ranks, host, settings.shards, blocks);
}

/// With whom a rank shares the first layer's work: with nobody where a step has more rows than the layer has inputs. Then it
/// costs less to fetch weights that others have updated than to exchange products of the rows.
comm::Team team_of_first_layer(const comm::Team& team, std::size_t rows, std::size_t inputs) {
  return rows < inputs ? team : comm::Team{team.first_host_rank + team.place, 1, 0};
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
      reduction_(make_reduction(ranks, host, settings, blocks_with_costs(network_, data, settings.shards))),
      team_(team_of_first_layer(reduction_->team(), data.plan.rows_of_step(0), architecture.inputs)),
      first_layer_division_(network_.segments(), team_.size, team_.place),
      update_(settings, network_, reduction_->my_range(), data.plan.steps()),
      microbatch_rows_(data.training_slices.size()),
      my_shard_losses_(data.training_slices.size()) {
  std::vector<float> initial;
  resize_for("the initial parameters", initial, network_.padded_size());
  network_.initialize(initial, settings.seed);
  reduction_->set_parameters(initial);
  if (update_.keeps_average()) update_.begin_average(reduction_->my_range().of(std::span<const float>(initial)));
  begin_epoch();
}

void Trainer::step() {
  // Every microbatch's gradient is scaled by the rows of the global batch, so their sum is the gradient of its mean loss.
  const float scale = 1.0F / static_cast<float>(data_.plan.rows_of_step(steps_done_in_epoch_));
  clock_ = PhaseClock(times_);
  const std::vector<nn::Microbatch> summed = summed_microbatches(steps_done_in_epoch_);
  load_microbatches();
  clock_.end_of(StepPhase::load);
  multiply_inputs_with_team(summed);
  network_.forward(reduction_->parameters(), first_layer_division_.of_my_rows(), batch_.row_ids(), *dropout_,
                   workspace_);
  add_losses(scale);
  clock_.end_of(StepPhase::forward);
  network_.backward(reduction_->parameters(), microbatch_rows_, workspace_);
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
  network_.begin_pass(batch_.row_ids().size(), workspace_);
}

void Trainer::multiply_inputs_with_team(const std::vector<nn::Microbatch>& microbatches) {
  std::vector<nn::RowSegments> parts;
  for (std::size_t i = 0; i < team_.size; ++i) {
    const std::size_t member = (team_.place + i) % team_.size;  // my own rows first
    nn::RowSegments& part = parts.emplace_back();
    part.activations = &activations_[team_.first_host_rank + member];
    part.segments = first_layer_division_.mine_of_rows_of(member);
    for (const nn::Microbatch& microbatch : microbatches) {
      if (microbatch.activations == part.activations) part.rows += microbatch.rows;
    }
  }
  wait_for_team();  // everybody's rows are in place
  network_.multiply_inputs(reduction_->parameters(), parts, workspace_);
  clock_.end_of(StepPhase::forward);
  wait_for_team();  // and so are the products
}

void Trainer::wait_for_team() {
  if (team_.size > 1) reduction_->wait_for_team();
  clock_.end_of(StepPhase::wait);
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

std::vector<float> Trainer::parameters() const {
  return nn::without_padding(network_.architecture(), reduction_->parameters());
}

}  // namespace mnist_dist::train
