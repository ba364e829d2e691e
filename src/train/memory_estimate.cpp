#include "mnist_dist/train/memory_estimate.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "mnist_dist/comm/agreement.hpp"
#include "mnist_dist/comm/exchange_schedule.hpp"
#include "mnist_dist/core/counted.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/memory.hpp"
#include "mnist_dist/core/sum_tree.hpp"
#include "mnist_dist/data/epoch_plan.hpp"
#include "mnist_dist/nn/activations.hpp"
#include "mnist_dist/train/exchange_choice.hpp"
#include "mnist_dist/train/scoring.hpp"
#include "mnist_dist/train/training_data.hpp"

namespace mnist_dist::train {

std::size_t optimizer_vectors(const Settings& settings) {
  return 1 + (optim::has_second_moment(optimizer_of(settings)) ? 1 : 0) + (settings.average > 0 ? 1 : 0);
}

MemoryEstimate estimate_memory(const Settings& settings, const nn::Architecture& architecture,
                               std::size_t training_rows, int ranks, int ranks_of_host) {
  const double of_host = ranks_of_host;
  const double vector = sizeof(float) * static_cast<double>(nn::padded_size(architecture));
  const auto kept = static_cast<double>(optimizer_vectors(settings));
  const bool shared = reduction_of(settings) !=
                      comm::ReductionKind::mpi;  // MPI's needs the parameters and their gradient at every rank
  const std::size_t shards = shards_of_rank(settings.shards, ranks, ranks - 1).size();
  const data::ShardPlan plan(training_rows, settings.batch_size, settings.shards);
  const std::size_t rows = std::max(kScoringRows, shards * plan.largest_microbatch());
  std::size_t floats = nn::Activations::memory_size(architecture, rows, shards);
  for (const nn::Layer& layer : nn::layers_of(architecture)) floats += rows * layer.columns;
  MemoryEstimate estimate{.parameters = vector * (shared ? 1 + of_host : 3 * of_host),
                          .optimizer = vector * kept * of_host,
                          .activations = of_host * sizeof(float) * static_cast<double>(floats)};
  if (!shared) return estimate;
  MemoryEstimate by_activations = estimate;
  estimate.optimizer = vector * kept * of_host / ranks;
  if (ranks == ranks_of_host) return estimate;
  // Room for the host's own sums over all parameters, and for those of the others over its part of them.
  const std::size_t sums = comm::sums_of_hosts({ranks_of_host, ranks - ranks_of_host}, settings.shards).front().size();
  estimate.activations += 2 * vector * static_cast<double>(sums);
  // Every host updates all parameters, and has room for what all ranks send.
  by_activations.optimizer = vector * kept;
  by_activations.activations +=
      static_cast<double>(ranks) * static_cast<double>(most_packed(settings, architecture, plan, ranks));
  const comm::ExchangeKind kind = exchange_of(settings);
  if (kind == comm::ExchangeKind::gradients) return estimate;
  return kind == comm::ExchangeKind::activations || by_activations.total() > estimate.total() ? by_activations
                                                                                              : estimate;
}

void check_estimate(const MemoryEstimate& estimate, const Settings& settings, int ranks_of_host, double memory) {
  if (estimate.total() <= memory) return;
  throw Error(ExitCode::usage,
              fmt::format("--hidden {} and --batch-size {} take at least {} with {} on a host ({} for parameters, "
                          "{} for the optimiser, {} for activations and messages), but it has {}: give smaller ones",
                          fmt::join(settings.hidden, ","), settings.batch_size, as_memory(estimate.total()),
                          counted(ranks_of_host, "rank"), as_memory(estimate.parameters), as_memory(estimate.optimizer),
                          as_memory(estimate.activations), as_memory(memory)));
}

void check_memory(int ranks, int ranks_of_host, const Settings& settings, const data::DatasetFile& file) {
  check_shards(settings, ranks);
  const auto all = static_cast<double>(file.rows(data::Split::training));
  const std::size_t named = file.holdout_rows().size();
  const double rows = named > 0 ? all - static_cast<double>(named) : all * (1 - settings.holdout);
  const MemoryEstimate estimate = estimate_memory(settings, architecture_for(settings, file),
                                                  static_cast<std::size_t>(std::lround(rows)), ranks, ranks_of_host);
  check_estimate(estimate, settings, ranks_of_host, physical_memory());
}

void check_memory(const comm::Communicator& ranks, const comm::Communicator& host, const Settings& settings,
                  const data::DatasetFile& file) {
  comm::run_and_agree(ranks, [&] { check_memory(ranks.size(), host.size(), settings, file); });
}

}  // namespace mnist_dist::train
