#include <fmt/format.h>

#include <array>

#include "mnist_dist/bench/benchmark_output.hpp"
#include "mnist_dist/train/training_data.hpp"

namespace mnist_dist::bench {
namespace {

constexpr std::array<const char*, train::kStepPhases> kPhaseNotes = {
    "rows into the batch, scaled",
    "with the loss",
    "down to the deltas of the first layer",
    "of this rank's parameters, formed and summed over all shards",
    "of this rank's parameters, by the optimiser",
    "for other ranks, and for messages",
};

double microseconds(double seconds) {
  return 1e6 * seconds;
}

std::string phase_line(const char* name, const RankSeconds& phase, const RankSeconds& whole, const char* note) {
  const std::string line = fmt::format("{:<10} {:12.1f} {:12.1f} {:8.1f} %  {}", name, microseconds(phase.mean),
                                       microseconds(phase.slowest), 100 * phase.mean / whole.mean, note);
  return line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
}

std::string step_text(const StepCost& step) {
  const PhaseCosts& costs = step.phases;
  std::string text = fmt::format("{:<10} {:>12} {:>12} {:>10}\n", "a step, us", "mean", "slowest rank", "share");
  for (std::size_t phase = 0; phase < train::kStepPhases; ++phase) {
    text += phase_line(train::kStepPhaseNames[phase], costs.phases[phase], costs.whole, kPhaseNotes[phase]);
  }
  text += phase_line("between", costs.between, costs.whole, "steps: a new order of the rows for each epoch");
  text += phase_line("together", costs.whole, costs.whole, "");
  return text + fmt::format(
                    "without these clocks: {:.1f} us a step, {:.0f} rows/s, {:.4f} s for 60000 rows\n"
                    "a checkpoint keeps the steps waiting for {:.1f} us: the time of {:.2f} steps\n",
                    microseconds(step.seconds), step.rows_per_second(), 60000 / step.rows_per_second(),
                    microseconds(step.saving_seconds), step.saving_seconds / step.seconds);
}

std::string products_text(const ProductCosts& costs, const nn::Architecture& architecture) {
  std::string text = fmt::format("{:<23} {:>10} {:>16} {:>17}\n", fmt::format("BLAS on {} rows, GF/s", costs.rows),
                                 "forward", "input gradient", "weight gradient");
  const std::vector<nn::Layer> layers = nn::layers_of(architecture);
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    std::array<std::string, kProductKinds> rates = {"-", "-", "-"};
    for (const ProductCost& cost : costs.products) {
      if (cost.product.layer != layer) continue;
      rates[static_cast<std::size_t>(cost.product.kind)] = fmt::format("{:.1f}", cost.gigaflops());
    }
    text += fmt::format("{:<23} {:>10} {:>16} {:>17}\n",
                        fmt::format("layer {}: {} x {}", layer + 1, layers[layer].inputs, layers[layer].outputs),
                        rates[0], rates[1], rates[2]);
  }
  const double best = costs.largest.gigaflops();
  return text + fmt::format(
                    "together: {:.2f} of the step's {:.2f} MFLOP, at {:.1f} GF/s; that is {:.0f} % of BLAS's best, "
                    "{:.1f} (on {} rows and columns)\n",
                    costs.flop * 1e-6, costs.step_flop * 1e-6, costs.gigaflops(), 100 * costs.gigaflops() / best, best,
                    costs.largest.product.rows);
}

std::string exchange_text(const ExchangeCost& cost, bool alone) {
  const std::string rate = alone ? "no other rank to exchange with"
                                 : fmt::format("{:.2f} GB/s of parameters", cost.mpi_gigabytes_per_second());
  return fmt::format("{:<23} {:>10}\n{:<23} {:10.1f}  {}\n{:<23} {:10.1f}  {}\n",
                     fmt::format("exchange of {:.3g} MB", static_cast<double>(cost.bytes) * 1e-6), "us",
                     "MPI_Allreduce", microseconds(cost.mpi_seconds), rate, "tree", microseconds(cost.tree_seconds),
                     "synchronisation, and messages between hosts");
}

std::string limit_text(const Benchmark& benchmark, const std::string& reduction) {
  return fmt::format(
      "limit: {:.1f} us a step, of which {:.1f} for {:.2f} MFLOP at {:.1f} GF/s (pixels that are zero left out), "
      "{:.1f} "
      "for the exchange ({})\n"
      "the step takes {:.2f} times the limit\n",
      microseconds(benchmark.limit_seconds()), microseconds(benchmark.limit_of_products()),
      benchmark.products.needed_flop * 1e-6, benchmark.products.best_gigaflops(),
      microseconds(benchmark.exchange_seconds), reduction, benchmark.step_per_limit());
}

}  // namespace

std::string benchmark_text(const Benchmark& benchmark, const Subject& subject) {
  const std::string between_hosts = benchmark.step.between_hosts.description();
  return fmt::format("{}{}\n{}\n{}\n{}", between_hosts.empty() ? "" : fmt::format("exchange {}\n\n", between_hosts),
                     step_text(benchmark.step),
                     products_text(benchmark.products, train::architecture_for(subject.settings, subject.file)),
                     exchange_text(benchmark.exchange, subject.ranks == 1),
                     limit_text(benchmark, subject.settings.reduction));
}

}  // namespace mnist_dist::bench
