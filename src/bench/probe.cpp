#include "mnist_dist/bench/probe.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include "mnist_dist/comm/agreement.hpp"
#include "mnist_dist/core/sum_tree.hpp"
#include "mnist_dist/nn/activations.hpp"
#include "mnist_dist/nn/network.hpp"
#include "mnist_dist/train/trainer.hpp"
#include "rank_clocks.hpp"
#include "step_clocks.hpp"

namespace mnist_dist::bench {
namespace {

constexpr double kEndOfEpochSeconds = 0.05;
constexpr std::size_t kSmallerBatch = 8;  // times smaller
constexpr std::size_t kMoreShards = 8;    // times more

/// What steps of some size took.
struct StepProbe {
  double seconds = 0;   // of a step, without the order of an epoch's rows
  double passes = 0;    // of a rank
  double gradient = 0;  // of all ranks together
  double update = 0;    // likewise
};

/// Collective over `host`.
StepProbe time_steps_of(const comm::Communicator& host, const train::Settings& settings,
                        const train::TrainingData& data, const nn::Architecture& architecture, double seconds) {
  train::Trainer trainer(host, host, settings, data, architecture);
  train::StepTimes times;
  const StepCost cost = time_steps(host, trainer, times, seconds);
  const PhaseCosts& phases = cost.phases;
  // The phases were measured in steps that looking at the clock made slower.
  const double scale = cost.seconds / phases.whole.mean;
  const auto mean = [&](train::StepPhase phase) { return scale * phases.phases[static_cast<std::size_t>(phase)].mean; };
  return {.seconds = cost.seconds - scale * phases.between.mean,
          .passes = mean(train::StepPhase::load) + mean(train::StepPhase::forward) + mean(train::StepPhase::backward),
          .gradient = host.size() * mean(train::StepPhase::gradient),
          .update = host.size() * mean(train::StepPhase::update)};
}

/// Collective over `host`: as if one rank did it alone.
double time_end_of_epoch(const comm::Communicator& host, const train::Settings& settings,
                         const train::TrainingData& data, const nn::Architecture& architecture) {
  train::Trainer trainer(host, host, settings, data, architecture);
  const double seconds =
      time_until_all_done(host, kEndOfEpochSeconds, Part::median, [&] { (void)trainer.finish_epoch(); });
  const std::size_t most_shards = shards_of_rank(settings.shards, host.size(), host.size() - 1).size();
  return seconds * static_cast<double>(settings.shards) / static_cast<double>(most_shards);
}

Job job_of(const train::Settings& settings, const train::TrainingData& data, const nn::Architecture& architecture) {
  const nn::Network network(architecture, data.input_scaling, train::products_of(settings));
  const auto packed = [&](std::size_t rows, std::size_t microbatches) {
    return nn::Activations::packed_size(architecture, rows, microbatches, network.expected_entries(rows));
  };
  constexpr std::size_t kMany = 1000;
  return {.rows = data.training_row_count,
          .batch_size = settings.batch_size,
          .shards = settings.shards,
          .blocks = train::blocks_with_costs(network, data.plan, settings.shards),
          .row_bytes = (packed(2 * kMany, 1) - packed(kMany, 1)) / kMany,
          .microbatch_bytes = (packed(1, 2 * kMany) - packed(1, kMany)) / kMany,
          .exchange = train::exchange_of(settings)};
}

/// Collective over `host`: the gradient's seconds for each microbatch beyond those of the settings, whose steps took
/// so long.
double time_microbatch(const comm::Communicator& host, train::Settings settings, const data::DatasetFile& file,
                       const nn::Architecture& architecture, const StepProbe& few, std::size_t rows, double seconds) {
  const std::size_t few_shards = settings.shards;
  settings.shards = std::min({kMoreShards * few_shards, rows, settings.batch_size, train::kMostShards});
  if (settings.shards <= few_shards) return 0;
  const train::TrainingData data = train::read_training_data(host, settings, file);
  const StepProbe many = time_steps_of(host, settings, data, architecture, seconds);
  return std::max(0.0, many.gradient - few.gradient) / static_cast<double>(settings.shards - few_shards);
}

/// What is left of a step, by each doubling of the ranks.
double waiting_in(const StepProbe& step, const WorkCosts& costs, const Job& job) {
  if (costs.ranks == 1) return 0;
  const double worked = predict({.alone = costs, .together = costs}, job, {1, costs.ranks}, {}).step_seconds;
  return std::max(0.0, step.seconds - worked) / std::log2(costs.ranks);
}

/// Collective over `ranks` of a host, which work at once. @param data this rank's, where these have all shards
WorkCosts costs_of(const comm::Communicator& ranks, const train::Settings& settings, const data::DatasetFile& file,
                   train::TrainingData data, const Job& job, double seconds) {
  const nn::Architecture architecture = train::architecture_for(settings, file);
  WorkCosts costs;
  costs.ranks = ranks.size();
  costs.microbatches = settings.shards;
  costs.end_of_epoch = time_end_of_epoch(ranks, settings, data, architecture);

  // From few rows a rank to those of a rank that has the whole batch.
  const std::size_t batch = std::min(job.batch_size, job.rows);
  const std::set<std::size_t> sizes = {std::max<std::size_t>(1, batch / kSmallerBatch), batch,
                                       std::min(static_cast<std::size_t>(ranks.size()) * batch, job.rows)};
  const double seconds_each = seconds / static_cast<double>(sizes.size() + 1);
  StepProbe usual;
  std::vector<std::pair<double, double>> passes;
  std::vector<std::pair<double, double>> gradients;
  for (const std::size_t size : sizes) {
    train::Settings sized = settings;
    sized.batch_size = size;
    data.plan = data::ShardPlan(job.rows, size, settings.shards);
    const StepProbe step = time_steps_of(ranks, sized, data, architecture, seconds_each);
    passes.emplace_back(static_cast<double>(size) / ranks.size(), step.passes);
    gradients.emplace_back(size, step.gradient);
    if (size == batch) usual = step;
  }
  costs.passes = Curve(passes);
  costs.gradient = Curve(gradients);
  costs.update = usual.update;
  costs.microbatch = time_microbatch(ranks, settings, file, architecture, usual, job.rows, seconds_each);
  costs.waiting = waiting_in(usual, costs, job);
  return costs;
}

Probe measured(const comm::Communicator& host, const train::Settings& settings, const data::DatasetFile& file,
               train::TrainingData data, double seconds) {
  const Job job = job_of(settings, data, train::architecture_for(settings, file));
  if (host.size() == 1) {
    const WorkCosts costs = costs_of(host, settings, file, std::move(data), job, seconds);
    return {.costs = {.alone = costs, .together = costs}, .job = job};
  }
  WorkCosts together = costs_of(host, settings, file, std::move(data), job, seconds / 2);
  const comm::Communicator first = host.split(host.rank());
  WorkCosts alone;
  if (host.rank() == 0) {
    alone = costs_of(first, settings, file, train::read_training_data(first, settings, file), job, seconds / 2);
  }
  host.barrier();
  return {.costs = {.alone = std::move(alone), .together = std::move(together)}, .job = job};
}

}  // namespace

Probe probe(const comm::Communicator& host, const train::Settings& settings, const data::DatasetFile& file,
            train::TrainingData data, double seconds) {
  try {
    return measured(host, settings, file, std::move(data), seconds);
  } catch (const comm::AgreedError& error) {
    // Some ranks have agreed, and not all of the job: one of them ends it.
    if (error.failed_rank() != comm::rank_by_launcher()) host.barrier();
    throw Error(error.exit_code(), error.what());
  }
}

}  // namespace mnist_dist::bench
