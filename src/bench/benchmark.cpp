#include "mnist_dist/bench/benchmark.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <numeric>

#include "mnist_dist/comm/gradient_reduction.hpp"
#include "mnist_dist/core/sum_tree.hpp"
#include "mnist_dist/nn/network.hpp"
#include "mnist_dist/train/trainer.hpp"
#include "product_costs.hpp"
#include "rank_clocks.hpp"
#include "step_clocks.hpp"

namespace mnist_dist::bench {
namespace {

constexpr double kExchangeSeconds = 0.1;  // for each reduction
constexpr double kSavingSeconds = 0.2;

/// The rows of the rank that has the most of them in an epoch's first step, which is a whole one.
std::size_t most_rows_of_a_rank(const train::Settings& settings, const data::ShardPlan& plan, int ranks) {
  std::size_t most = 0;
  for (int rank = 0; rank < ranks; ++rank) {
    const ShardBlock shards = shards_of_rank(settings.shards, ranks, rank);
    std::size_t rows = 0;
    for (std::size_t shard = shards.begin; shard < shards.end; ++shard) rows += plan.microbatch(shard, 0).size();
    most = std::max(most, rows);
  }
  return most;
}

/// Collective: with rows, and the time for saving.
StepCost time_whole_steps(const comm::Communicator& ranks, const comm::Communicator& host,
                          const train::Settings& settings, const train::TrainingData& data,
                          const nn::Architecture& architecture, double seconds) {
  train::Trainer trainer(ranks, host, settings, data, architecture);
  train::StepTimes times;
  StepCost cost = time_steps(ranks, trainer, times, seconds);
  cost.between_hosts = trainer.exchange();
  train::TrainerState state;
  cost.saving_seconds = time_until_all_done(ranks, kSavingSeconds, Part::median, [&] { trainer.capture(state); });
  cost.rows = static_cast<double>(data.training_row_count) / static_cast<double>(data.plan.steps());
  return cost;
}

/// Collective: which share of the training images' pixels is not zero.
double share_of_pixels(const comm::Communicator& ranks, const data::ImageRows& rows) {
  std::array<std::int64_t, 2> counts = {};  // not zero, all
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::span<const std::uint8_t> pixels = rows.pixels(row);
    counts[0] += static_cast<std::int64_t>(pixels.size()) - std::ranges::count(pixels, 0);
    counts[1] += static_cast<std::int64_t>(pixels.size());
  }
  ranks.sum(counts);
  return static_cast<double>(counts[0]) / static_cast<double>(counts[1]);
}

class NoGradients final : public comm::ShardGradients {
 public:
  /// @param packed bytes of activations that a rank sends
  explicit NoGradients(std::size_t packed) : packed_(packed) {}
  void form(const ParameterRange& /*block*/, std::size_t /*shard_sum*/, float* /*sum*/) const override {}
  [[nodiscard]] std::size_t packed_size() const override { return packed_; }
  void pack(std::span<std::byte> /*bytes*/) const override {}
  void take(int /*rank*/, std::span<std::byte> /*bytes*/) override {}

 private:
  std::size_t packed_;
};

/// Collective.
double time_reduction(const comm::Communicator& ranks, comm::GradientReduction& reduction, std::size_t packed = 0) {
  NoGradients nothing(packed);
  std::vector<float> room(reduction.my_range().size());
  return time_until_all_done(ranks, kExchangeSeconds, Part::fastest, [&] {
    reduction.exchange(nothing);
    for (const ParameterRange& block : reduction.my_blocks()) {
      (void)reduction.sum(block, nothing, std::span(room).first(block.size()));
    }
    reduction.share_parameters();
    reduction.await_parameters();
  });
}

/// Collective.
ExchangeCost time_exchange(const comm::Communicator& ranks, const comm::Communicator& host,
                           const train::Settings& settings, const train::TrainingData& data,
                           const nn::Architecture& architecture, const train::ExchangeChoice& between) {
  const nn::Network network(architecture, data.input_scaling, train::products_of(settings));
  const std::vector<comm::ParameterBlock> blocks = train::blocks_with_costs(network, data.plan, settings.shards);
  ExchangeCost cost;
  cost.bytes = network.padded_size() * sizeof(float);
  cost.mpi_seconds = time_reduction(ranks, *comm::make_mpi_reduction(ranks, settings.shards, blocks));
  const auto tree = comm::make_tree_reduction(ranks, host, settings.shards, blocks, {between.kind, between.packed});
  cost.tree_seconds = time_reduction(ranks, *tree, between.packed);
  return cost;
}

}  // namespace

RankSeconds over_ranks(std::span<const double> seconds) {
  const double sum = std::accumulate(seconds.begin(), seconds.end(), 0.0);
  return {sum / static_cast<double>(seconds.size()), *std::ranges::max_element(seconds)};
}

double ProductCosts::best_gigaflops() const {
  double best = largest.gigaflops();
  for (const ProductCost& cost : products) best = std::max(best, cost.gigaflops());
  return best;
}

PhaseCosts phase_costs_of(std::span<const std::vector<double>> seconds_by_rank) {
  const auto figure = [&](auto&& of_rank) {
    std::vector<double> seconds;
    for (const std::vector<double>& figures : seconds_by_rank) seconds.push_back(of_rank(figures));
    return over_ranks(seconds);
  };
  PhaseCosts cost;
  cost.whole = figure([](const std::vector<double>& figures) { return figures.front(); });
  for (std::size_t phase = 0; phase < train::kStepPhases; ++phase) {
    cost.phases[phase] = figure([&](const std::vector<double>& figures) { return figures[1 + phase]; });
  }
  cost.between = figure([](const std::vector<double>& figures) {
    return figures.front() - std::accumulate(figures.begin() + 1, figures.end(), 0.0);
  });
  return cost;
}

Benchmark run_benchmark(const comm::Communicator& ranks, const comm::Communicator& host,
                        const train::Settings& settings, const train::TrainingData& data,
                        const nn::Architecture& architecture, double seconds) {
  Benchmark benchmark;
  benchmark.step = time_whole_steps(ranks, host, settings, data, architecture, seconds);
  benchmark.products = time_products(ranks, architecture, most_rows_of_a_rank(settings, data.plan, ranks.size()));
  benchmark.products.step_flop = flop_of(products_of_step(architecture, data.plan.rows_of_step(0)));
  const double share = share_of_pixels(ranks, data.training_rows);
  for (const ProductCost& cost : benchmark.products.products) {
    benchmark.products.needed_flop += (cost.product.layer == 0 ? share : 1) * cost.product.flop();
  }
  benchmark.exchange = time_exchange(ranks, host, settings, data, architecture, benchmark.step.between_hosts);
  benchmark.exchange_seconds = train::reduction_of(settings) == comm::ReductionKind::mpi
                                   ? benchmark.exchange.mpi_seconds
                                   : benchmark.exchange.tree_seconds;
  return benchmark;
}

}  // namespace mnist_dist::bench
