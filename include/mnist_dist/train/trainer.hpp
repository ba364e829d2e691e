// Data-parallel training: the steps and the epochs. Trainer::step is the program in one function.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/comm/gradient_reduction.hpp"
#include "mnist_dist/comm/host_memory.hpp"
#include "mnist_dist/data/augment/augmentation.hpp"
#include "mnist_dist/data/image_rows.hpp"
#include "mnist_dist/nn/network.hpp"
#include "mnist_dist/train/epoch_metrics.hpp"
#include "mnist_dist/train/exchange_choice.hpp"
#include "mnist_dist/train/parameter_update.hpp"
#include "mnist_dist/train/scoring.hpp"
#include "mnist_dist/train/settings.hpp"
#include "mnist_dist/train/step_times.hpp"
#include "mnist_dist/train/trainer_state.hpp"
#include "mnist_dist/train/training_data.hpp"

namespace mnist_dist::train {

/// Local: all parameters, in the pieces in which they are summed and updated, with the work that each of them is in a
/// whole step. The same at all ranks.
[[nodiscard]] std::vector<comm::ParameterBlock> blocks_with_costs(const nn::Network& network,
                                                                  const data::ShardPlan& plan, std::size_t shards);

/// How far an epoch is, for people.
struct EpochProgress {
  std::uint64_t epoch = 0;  ///< from 1
  std::uint64_t steps_done = 0;
  std::uint64_t steps = 0;      ///< of the whole epoch
  std::uint64_t rows_done = 0;  ///< over all shards
  double loss = 0;              ///< so far: the mean over this rank's shards alone, since ranks do not wait for it
};

/// One rank's part of the training. All ranks make one, with equal settings and data.
class Trainer {
 public:
  /// Collective: starts from fresh parameters. @param ranks numbered host by host  @param host the ranks that share
  /// this rank's memory; the arguments outlive the trainer
  /// @throws AgreedError (usage) when a step's messages between hosts are more than MPI can count
  Trainer(const comm::Communicator& ranks, const comm::Communicator& host, const Settings& settings,
          const TrainingData& data, const nn::Architecture& architecture);

  /// Collective, before the first step: starts from these parameters instead; all ranks pass the same.
  /// @param parameters with padding
  void begin_at(std::span<const float> parameters);
  /// Collective: goes on from this state instead; all ranks pass the same.
  /// @throws AgreedError (bad_data) when it is that of another network, optimiser or number of shards
  void restore(const TrainerState& state);

  /// Collective: the steps that the epoch still has. @param stop_now asked after every step, gives the same answer at
  /// all ranks  @return whether the epoch's steps are complete
  bool run_steps(const std::function<bool()>& stop_now);
  /// Collective: so many steps. Where an epoch ends the next one begins, without a score: for measuring.
  void run_unscored_steps(std::int64_t count);
  /// Local: from now on adds the times of every step's phases to `times`, which outlives the steps.
  void measure(StepTimes& times) { times_ = &times; }
  /// Collective, after the epoch's steps: scores the holdout and begins the next epoch.
  /// @throws Error (usage) at all ranks when the loss is no number any more
  EpochMetrics finish_epoch();

  /// Collective: the state between this step and the next; its vectors of parameters' size are empty at all ranks but
  /// 0. The steps wait for it, so that it takes no longer than to copy: the memory of `state` is used again.
  void capture(TrainerState& state);
  /// Local: the epoch that has begun, from 1.
  [[nodiscard]] std::uint64_t epoch() const { return epochs_done_ + std::uint64_t{1}; }
  /// Local: how far it is. After its first step.
  [[nodiscard]] EpochProgress progress() const;
  /// Local: the current parameters, without padding.
  [[nodiscard]] std::vector<float> parameters() const;
  /// Local: the parameters that the last finish_epoch() scored, at rank 0: their moving average, where one is kept.
  [[nodiscard]] const std::vector<float>& scored_parameters() const { return scored_parameters_; }
  /// Local: what hosts send each other.
  [[nodiscard]] const ExchangeChoice& exchange() const { return exchange_; }

 private:
  class StepGradients;
  /// What a rank has of a step.
  struct RankRows {
    std::size_t rows = 0;
    std::size_t microbatches = 0;
  };

  void begin_epoch();
  void begin_next_epoch();

  void step();
  // Its parts, in this order; between steps nobody has waited for the new parameters yet, after the last one all have.
  // Collective: await_parameters(), exchange(), share_parameters() and, for the norm, update_clipped().
  void load_microbatches();
  void find_microbatches();
  void forward();
  void add_losses(float scale);
  void backward();
  void exchange(comm::ShardGradients& gradients);
  std::span<float> sum(const ParameterRange& block, const comm::ShardGradients& gradients, std::span<float> room);
  void update(const ParameterRange& block, std::span<float> gradient);
  void update_clipped(const comm::ShardGradients& gradients);
  void share_parameters();
  void await_parameters();

  [[nodiscard]] ConfusionMatrix score_holdout();
  [[nodiscard]] std::vector<double> all_shard_losses() const;
  void gather(const std::vector<float>& of_my_range, std::vector<float>& all);
  void copy_my_range(const std::vector<float>& without_padding, std::vector<float>& of_my_range) const;

  const comm::Communicator& ranks_;
  const Settings& settings_;
  const TrainingData& data_;
  nn::Network network_;
  std::size_t max_rows_;                      // of any rank in a step, or when scoring
  comm::HostMemory activation_memory_;        // a segment per rank of the host
  std::vector<nn::Activations> activations_;  // by rank: in it, or, in a step, what another host has sent
  nn::Workspace workspace_;                   // on this rank's activations
  data::Batch batch_;                         // of its inputs
  ExchangeChoice exchange_;
  std::unique_ptr<comm::GradientReduction> reduction_;
  // Of a block, so that it stays in the cache; where all are clipped together, of my range.
  std::vector<float> gradient_;
  std::size_t grains_;      // of all parameters
  ParameterUpdate update_;  // of my range

  StepTimes* times_ = nullptr;  // where to add times, if anywhere

  std::uint32_t epochs_done_ = 0;
  std::int64_t steps_done_ = 0;
  std::size_t steps_done_in_epoch_ = 0;
  double seconds_in_epoch_ = 0;
  std::vector<std::size_t> microbatch_rows_;               // by my shard, of this step
  std::vector<RankRows> rank_rows_;                        // by rank whose shards this host sums, of this step
  std::vector<std::vector<nn::Microbatch>> microbatches_;  // by shard sum of the reduction, of this step
  std::vector<double> my_shard_losses_;                    // of the begun epoch
  std::optional<nn::Dropout> dropout_;                     // of the begun epoch
  std::optional<data::Augmentation> augmentation_;         // of the begun epoch, where the settings ask for it
  std::vector<float> gathered_;                            // at rank 0: whatever was gathered last
  std::vector<float> scored_parameters_;                   // at rank 0
  std::vector<std::vector<std::uint32_t>> row_orders_;  // by my shard, of the begun epoch: indices into training_rows
};

}  // namespace mnist_dist::train
