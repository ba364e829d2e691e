// What this machine and this build make of a run's steps: where a step's time goes, what BLAS reaches on the step's
// products, what an exchange takes, and the limit that the last two set to the first.
//
// The limit is the time of a step that did nothing but the multiplications that its result depends on, all of them as
// fast as BLAS's fastest product, and the exchange. Steps are measured as they usually are (the median of several
// tries), products and exchange as the machine can do them (the best).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/nn/architecture.hpp"
#include "mnist_dist/train/exchange_choice.hpp"
#include "mnist_dist/train/settings.hpp"
#include "mnist_dist/train/step_times.hpp"
#include "mnist_dist/train/training_data.hpp"

namespace mnist_dist::bench {

/// A part of a step, by each rank's own clock.
struct RankSeconds {
  double mean = 0;
  double slowest = 0;
};
/// Local. @param seconds by rank; at least one
[[nodiscard]] RankSeconds over_ranks(std::span<const double> seconds);

/// Where the time of a step goes. In the mean over the ranks, the phases and `between` add up to `whole`.
struct PhaseCosts {
  RankSeconds whole;
  std::array<RankSeconds, train::kStepPhases> phases;  ///< by train::StepPhase
  RankSeconds between;                                 ///< steps: orders the rows anew when an epoch begins
};
/// Local: from each rank's time of a whole step, and after it those of the phases.
[[nodiscard]] PhaseCosts phase_costs_of(std::span<const std::vector<double>> seconds_by_rank);

/// The time of a step.
struct StepCost {
  double seconds = 0;         ///< measured over many steps at once
  double rows = 0;            ///< of a step over all ranks, in the mean over an epoch
  double saving_seconds = 0;  ///< for which a checkpoint keeps the steps waiting: to copy what it holds
  PhaseCosts phases;          ///< measured in other steps: looking at the clock so often makes them a little slower
  train::ExchangeChoice between_hosts;  ///< what the steps exchanged
  std::int64_t steps = 0;               ///< whose phases were measured
  [[nodiscard]] double rows_per_second() const { return rows / seconds; }
};

/// The products that a layer takes in a step.
enum class ProductKind : std::size_t { forward, input_gradient, weight_gradient };
inline constexpr std::size_t kProductKinds = 3;

/// A product of matrices [rows x inner] and [inner x columns].
struct Product {
  ProductKind kind = ProductKind::forward;
  std::size_t layer = 0;  ///< from 0
  std::size_t rows = 0;
  std::size_t inner = 0;
  std::size_t columns = 0;
  /// Floating-point operations: a multiplication and an addition for each pair.
  [[nodiscard]] double flop() const {
    return 2.0 * static_cast<double>(rows) * static_cast<double>(inner) * static_cast<double>(columns);
  }
};
/// Local: all products of a step over these rows. The first layer needs no gradient of its inputs.
[[nodiscard]] std::vector<Product> products_of_step(const nn::Architecture& architecture, std::size_t rows);
[[nodiscard]] double flop_of(std::span<const Product> products);

/// A product by BLAS at every rank at once.
struct ProductCost {
  Product product;
  double seconds = 0;  ///< until the last rank has done it
  /// 10^9 operations per second of each rank.
  [[nodiscard]] double gigaflops() const { return product.flop() / seconds * 1e-9; }
};

struct ProductCosts {
  double step_flop = 0;               ///< of a step over all ranks
  std::size_t rows = 0;               ///< of the rank that has the most of them in a step
  std::vector<ProductCost> products;  ///< of a step over so many rows
  double flop = 0;                    ///< of these products together
  double seconds = 0;                 ///< likewise
  ProductCost largest;                ///< of matrices that are large enough for BLAS's best
  double needed_flop = 0;             ///< of this rank's products, without the multiplications by pixels that are zero
  [[nodiscard]] double gigaflops() const { return flop / seconds * 1e-9; }
  /// Of the fastest product.
  [[nodiscard]] double best_gigaflops() const;
};

/// A reduction whose gradients and updates do nothing.
struct ExchangeCost {
  std::size_t bytes = 0;    ///< of the parameters in memory
  double mpi_seconds = 0;   ///< MPI_Allreduce of so many bytes
  double tree_seconds = 0;  ///< the tree's synchronisation, and its messages between hosts
  [[nodiscard]] double mpi_gigabytes_per_second() const { return static_cast<double>(bytes) / mpi_seconds * 1e-9; }
};

struct Benchmark {
  StepCost step;
  ProductCosts products;
  ExchangeCost exchange;
  double exchange_seconds = 0;  ///< of the reduction in use

  [[nodiscard]] double limit_of_products() const { return products.needed_flop / products.best_gigaflops() * 1e-9; }
  [[nodiscard]] double limit_seconds() const { return limit_of_products() + exchange_seconds; }
  [[nodiscard]] double step_per_limit() const { return step.seconds / limit_seconds(); }
};

/// Collective: trains for about `seconds` and measures its steps; then the products and the exchange, for some seconds
/// more. The result is the same at all ranks. @param host the ranks that share this rank's memory
[[nodiscard]] Benchmark run_benchmark(const comm::Communicator& ranks, const comm::Communicator& host,
                                      const train::Settings& settings, const train::TrainingData& data,
                                      const nn::Architecture& architecture, double seconds);

}  // namespace mnist_dist::bench
