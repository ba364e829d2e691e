#include "mnist_dist/train/trainer.hpp"

#include <algorithm>
#include <numeric>

#include "mnist_dist/core/memory.hpp"
#include "mnist_dist/nn/softmax_cross_entropy.hpp"
#include "mnist_dist/optim/gradient_clipping.hpp"

namespace mnist_dist::train {
namespace {

/// The most shards that a rank can have.
std::size_t most_shards(const Settings& settings, int ranks) {
  return shards_of_rank(settings.shards, ranks, ranks - 1).size();
}

/// By rank: those of this host's in its memory, the others of nothing yet.
std::vector<nn::Activations> views_of(const comm::HostMemory& memory, const comm::Communicator& ranks,
                                      const comm::Communicator& host, const nn::Architecture& architecture,
                                      std::size_t max_rows, std::size_t max_microbatches) {
  std::vector<nn::Activations> views(static_cast<std::size_t>(ranks.size()));
  for (int rank = 0; rank < host.size(); ++rank) {
    const int of_job = ranks.rank() - host.rank() + rank;
    views[static_cast<std::size_t>(of_job)] =
        nn::Activations(architecture, max_rows, max_microbatches, memory.floats(rank));
  }
  return views;
}

/// Collective.
std::unique_ptr<comm::GradientReduction> make_reduction(const comm::Communicator& ranks, const comm::Communicator& host,
                                                        const Settings& settings,
                                                        const std::vector<comm::ParameterBlock>& blocks,
                                                        const comm::HostExchange& exchange) {
  return reduction_of(settings) == comm::ReductionKind::mpi
             ? comm::make_mpi_reduction(ranks, settings.shards, blocks)
             : comm::make_tree_reduction(ranks, host, settings.shards, blocks, exchange);
}

std::size_t count_grains(const nn::Network& network) {
  std::size_t grains = 0;
  for (const ParameterRange& block : network.blocks()) grains += (block.size() - 1) / network.grain(block) + 1;
  return grains;
}

/// Each grain's by itself.
void append_squares(std::span<const float> gradient, std::size_t grain, std::vector<double>& squares) {
  for (std::size_t begin = 0; begin < gradient.size(); begin += grain) {
    squares.push_back(optim::sum_of_squares(gradient.subspan(begin, std::min(grain, gradient.size() - begin))));
  }
}

std::size_t largest_block(const comm::GradientReduction& reduction) {
  std::size_t largest = 0;
  for (const ParameterRange& block : reduction.my_blocks()) largest = std::max(largest, block.size());
  return largest;
}

}  // namespace

/// The gradients of a step, from the activations of all ranks whose shards this host sums.
class Trainer::StepGradients final : public comm::ShardGradients {
 public:
  explicit StepGradients(Trainer& trainer)
      : trainer_(trainer), rank_(trainer.ranks_.rank()), shard_sums_(trainer.reduction_->shard_sums()) {}

  void form(const ParameterRange& block, std::size_t shard_sum, float* sum) const override {
    const PhaseTimer timer(trainer_.times_, StepPhase::gradient);
    trainer_.network_.gradient(block, {trainer_.microbatches_[shard_sum], shard_sums_[shard_sum].merges}, sum);
  }

  [[nodiscard]] std::size_t packed_size() const override {
    const nn::PixelLists& pixels = activations_of(rank_).pixels;
    const RankRows& mine = rows_of(rank_);
    return nn::Activations::packed_size(architecture(), mine.rows, mine.microbatches, pixels.begins[pixels.groups]);
  }
  void pack(std::span<std::byte> bytes) const override {
    activations_of(rank_).pack(architecture(), rows_of(rank_).rows, rows_of(rank_).microbatches, bytes);
  }
  void take(int rank, std::span<std::byte> bytes) override {
    activations_of(rank) =
        nn::Activations::packed(architecture(), rows_of(rank).rows, rows_of(rank).microbatches, bytes);
  }

 private:
  [[nodiscard]] const nn::Architecture& architecture() const { return trainer_.network_.architecture(); }
  [[nodiscard]] nn::Activations& activations_of(int rank) const {
    return trainer_.activations_[static_cast<std::size_t>(rank)];
  }
  [[nodiscard]] const RankRows& rows_of(int rank) const { return trainer_.rank_rows_[static_cast<std::size_t>(rank)]; }

  Trainer& trainer_;
  int rank_;
  std::span<const comm::ShardSum> shard_sums_;
};

std::vector<comm::ParameterBlock> blocks_with_costs(const nn::Network& network, const data::ShardPlan& plan,
                                                    std::size_t shards) {
  std::vector<comm::ParameterBlock> blocks;
  for (const ParameterRange& range : network.blocks()) {
    blocks.push_back({range, network.cost(range, plan.rows_of_step(0), shards), network.grain(range)});
  }
  return blocks;
}

Trainer::Trainer(const comm::Communicator& ranks, const comm::Communicator& host, const Settings& settings,
                 const TrainingData& data, const nn::Architecture& architecture)
    : ranks_(ranks),
      settings_(settings),
      data_(data),
      network_(architecture, data.input_scaling, products_of(settings)),
      max_rows_(std::max(kScoringRows, most_shards(settings, ranks.size()) * data.plan.largest_microbatch())),
      activation_memory_(host, sizeof(float) * nn::Activations::memory_size(architecture, max_rows_,
                                                                            most_shards(settings, ranks.size()))),
      activations_(
          views_of(activation_memory_, ranks, host, architecture, max_rows_, most_shards(settings, ranks.size()))),
      workspace_(architecture, max_rows_, activations_[static_cast<std::size_t>(ranks.rank())]),
      batch_(max_rows_, architecture.inputs),
      exchange_(choose_exchange(ranks, host, settings, network_, data)),
      reduction_(make_reduction(ranks, host, settings, blocks_with_costs(network_, data.plan, settings.shards),
                                {exchange_.kind, most_packed(settings, architecture, data.plan, ranks.size())})),
      gradient_(largest_block(*reduction_)),
      grains_(count_grains(network_)),
      update_(settings, network_, reduction_->my_range(), data.plan.steps()),
      microbatch_rows_(data.training_slices.size()),
      my_shard_losses_(data.training_slices.size()) {
  std::vector<float> initial;
  resize_for("the initial parameters", initial, network_.padded_size());
  network_.initialize(initial, settings.seed);
  begin_at(initial);
  begin_epoch();
}

void Trainer::begin_at(std::span<const float> parameters) {
  reduction_->set_parameters(parameters);
  if (update_.keeps_average()) update_.begin_average(reduction_->my_range().of(parameters));
}

void Trainer::step() {
  load_microbatches();
  await_parameters();
  forward();
  backward();
  StepGradients gradients(*this);
  exchange(gradients);
  if (settings_.clip_norm > 0) {
    update_clipped(gradients);
  } else {
    update_.begin_step(steps_done_, 1);
    for (const ParameterRange& block : reduction_->my_blocks()) update(block, sum(block, gradients, gradient_));
  }
  share_parameters();
}

void Trainer::load_microbatches() {
  const PhaseTimer timer(times_, StepPhase::load);
  find_microbatches();
  batch_.clear();
  const std::size_t first_shard = shards_of_rank(settings_.shards, ranks_.size(), ranks_.rank()).begin;
  for (std::size_t i = 0; i < microbatch_rows_.size(); ++i) {
    const data::ShardPlan::Slice microbatch = data_.plan.microbatch(first_shard + i, steps_done_in_epoch_);
    batch_.append(data_.training_rows, std::span(row_orders_[i]).subspan(microbatch.begin, microbatch.size()),
                  augmentation_ ? &*augmentation_ : nullptr);
    microbatch_rows_[i] = microbatch.size();
  }
  network_.load(batch_.pixels(), microbatch_rows_, workspace_);
}

void Trainer::find_microbatches() {
  microbatches_.clear();
  rank_rows_.assign(activations_.size(), {});
  for (const comm::ShardSum& shard_sum : reduction_->shard_sums()) {
    std::vector<nn::Microbatch>& microbatches = microbatches_.emplace_back();
    for (const comm::ShardSum::Shard& shard : shard_sum.shards) {
      const auto rank = static_cast<std::size_t>(shard.rank);
      const std::size_t rows = data_.plan.microbatch(shard.shard, steps_done_in_epoch_).size();
      // A rank's microbatches lie one after the other in its activations.
      RankRows& before = rank_rows_[rank];
      microbatches.push_back({&activations_[rank], before.microbatches, before.rows, rows});
      before.rows += rows;
      ++before.microbatches;
    }
  }
}

void Trainer::forward() {
  const PhaseTimer timer(times_, StepPhase::forward);
  network_.forward(reduction_->parameters(), batch_.row_ids(), *dropout_, workspace_);
  // Every microbatch's gradient is scaled by the rows of the global batch, so their sum is the gradient of its mean
  // loss.
  add_losses(1.0F / static_cast<float>(data_.plan.rows_of_step(steps_done_in_epoch_)));
}

void Trainer::backward() {
  const PhaseTimer timer(times_, StepPhase::backward);
  network_.backward(reduction_->parameters(), workspace_);
  ++steps_done_;
  ++steps_done_in_epoch_;
}

void Trainer::exchange(comm::ShardGradients& gradients) {
  const PhaseTimer timer(times_, StepPhase::wait);
  reduction_->exchange(gradients);
}

std::span<float> Trainer::sum(const ParameterRange& block, const comm::ShardGradients& gradients,
                              std::span<float> room) {
  const std::span<float> sum = reduction_->sum(block, gradients, room.first(block.size()));
  network_.scale_gradient(block, sum);
  return sum;
}

void Trainer::update_clipped(const comm::ShardGradients& gradients) {
  // The norm is that of all parameters' gradients. Each grain's squares by themselves, then the grains in their order:
  // the same sum whoever has which of them.
  std::vector<std::span<float>> sums;
  std::vector<double> squares;
  gradient_.resize(reduction_->my_range().size());
  std::span<float> room(gradient_);
  for (const ParameterRange& block : reduction_->my_blocks()) {
    sums.push_back(sum(block, gradients, room));
    room = room.subspan(block.size());
    append_squares(sums.back(), network_.grain(block), squares);
  }
  std::vector<double> all(grains_);
  reduction_->all_gather(squares, all);
  const double norm_squared = std::accumulate(all.begin(), all.end(), 0.0);
  update_.begin_step(steps_done_, optim::clip_factor(norm_squared, settings_.clip_norm));
  auto next = sums.begin();
  for (const ParameterRange& block : reduction_->my_blocks()) update(block, *next++);
}

void Trainer::update(const ParameterRange& block, std::span<float> gradient) {
  const PhaseTimer timer(times_, StepPhase::update);
  update_.apply(block, gradient, reduction_->to_update(block));
  reduction_->updated(block);
}

void Trainer::share_parameters() {
  const PhaseTimer timer(times_, StepPhase::wait);
  reduction_->share_parameters();
  if (times_ != nullptr) ++times_->steps;
}

void Trainer::await_parameters() {
  const PhaseTimer timer(times_, StepPhase::wait);
  reduction_->await_parameters();
}

void Trainer::add_losses(float scale) {
  std::size_t first = 0;
  for (std::size_t i = 0; i < microbatch_rows_.size(); ++i) {
    const std::size_t rows = microbatch_rows_[i];
    my_shard_losses_[i] +=
        nn::softmax_cross_entropy(workspace_.logits().rows_from(first, rows), batch_.labels().subspan(first, rows),
                                  scale, settings_.label_smoothing, data_.class_weights);
    first += rows;
  }
}

std::vector<float> Trainer::parameters() const {
  return nn::without_padding(network_.architecture(), reduction_->parameters());
}

}  // namespace mnist_dist::train
