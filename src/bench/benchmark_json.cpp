#include <array>

#include "mnist_dist/bench/benchmark_output.hpp"
#include "subject_json.hpp"

namespace mnist_dist::bench {
namespace {

Json phase_json(const RankSeconds& phase, const RankSeconds& whole) {
  return {{"mean_seconds", phase.mean},
          {"slowest_rank_seconds", phase.slowest},
          {"mean_percent", 100 * phase.mean / whole.mean}};
}

Json phases_json(const PhaseCosts& costs) {
  Json phases = Json::object();
  for (std::size_t phase = 0; phase < train::kStepPhases; ++phase) {
    phases[train::kStepPhaseNames[phase]] = phase_json(costs.phases[phase], costs.whole);
  }
  phases["between"] = phase_json(costs.between, costs.whole);
  phases["together"] = phase_json(costs.whole, costs.whole);
  return phases;
}

Json step_json(const StepCost& step) {
  return {{"seconds", step.seconds},
          {"rows", step.rows},
          {"rows_per_second", step.rows_per_second()},
          {"seconds_per_60000_rows", 60000 / step.rows_per_second()},
          {"checkpoint_copy_seconds", step.saving_seconds},
          {"steps_with_phases", step.steps},
          {"phases", phases_json(step.phases)}};
}

Json product_json(const ProductCost& cost) {
  constexpr std::array<const char*, kProductKinds> kNames = {"forward", "input_gradient", "weight_gradient"};
  const Product& product = cost.product;
  return {{"layer", product.layer + 1}, {"product", kNames[static_cast<std::size_t>(product.kind)]},
          {"rows", product.rows},       {"inner", product.inner},
          {"columns", product.columns}, {"flop", product.flop()},
          {"seconds", cost.seconds},    {"gigaflops_per_second", cost.gigaflops()}};
}

Json products_json(const ProductCosts& costs) {
  Json products = Json::array();
  for (const ProductCost& cost : costs.products) products.push_back(product_json(cost));
  return {{"step_flop", costs.step_flop},
          {"rank_rows", costs.rows},
          {"rank_flop", costs.flop},
          {"rank_seconds", costs.seconds},
          {"rank_gigaflops_per_second", costs.gigaflops()},
          {"best_size", costs.largest.product.rows},
          {"best_gigaflops_per_second", costs.largest.gigaflops()},
          {"products", std::move(products)}};
}

/// A transfer to nobody has no rate.
Json exchange_json(const ExchangeCost& cost, const train::ExchangeChoice& between_hosts, bool alone) {
  const Json rate = alone ? Json() : Json(cost.mpi_gigabytes_per_second());
  return {{"bytes", cost.bytes},
          {"mpi_seconds", cost.mpi_seconds},
          {"mpi_gigabytes_per_second", rate},
          {"tree_seconds", cost.tree_seconds},
          {"between_hosts", between_hosts.description()}};
}

Json limit_json(const Benchmark& benchmark) {
  return {{"needed_flop", benchmark.products.needed_flop},
          {"products_seconds", benchmark.limit_of_products()},
          {"exchange_seconds", benchmark.exchange_seconds},
          {"seconds", benchmark.limit_seconds()},
          {"step_per_limit", benchmark.step_per_limit()}};
}

}  // namespace

std::string benchmark_json(const Benchmark& benchmark, const Subject& subject) {
  const Json json = {{"machine", machine_json(subject)},
                     {"run", run_json(subject.settings, subject.file)},
                     {"step", step_json(benchmark.step)},
                     {"blas", products_json(benchmark.products)},
                     {"exchange", exchange_json(benchmark.exchange, benchmark.step.between_hosts, subject.ranks == 1)},
                     {"limit", limit_json(benchmark)}};
  return json_text(json);
}

}  // namespace mnist_dist::bench
