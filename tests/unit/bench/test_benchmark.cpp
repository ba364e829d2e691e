#include <doctest/doctest.h>

#include <numeric>
#include <vector>

#include "float_comparison.hpp"
#include "mnist_dist/bench/benchmark.hpp"

using namespace mnist_dist;

constexpr double kTolerance = 1e-12;

TEST_CASE("the products of a step of the default network") {
  const nn::Architecture architecture{.inputs = 784, .hidden = {100, 100, 100}, .outputs = 10};
  const std::vector<bench::Product> products = bench::products_of_step(architecture, 25);
  REQUIRE(products.size() == 11);
  // Every weight takes part in one multiplication and one addition by row and kind of product; the 78400 weights of the
  // first layer have no gradient of inputs to give.
  constexpr double kWeights = 784 * 100 + 100 * 100 + 100 * 100 + 100 * 10;
  CHECK(bench::flop_of(products) == 25 * 2 * (kWeights + kWeights + (kWeights - 78400)));
  for (const bench::Product& product : products) {
    CHECK((product.layer > 0 || product.kind != bench::ProductKind::input_gradient));
  }
  const bench::Product& last = products.back();
  CHECK(last.kind == bench::ProductKind::weight_gradient);
  CHECK(last.layer == 3);
  CHECK(last.rows == 100);  // as BLAS counts: of the result
  CHECK(last.inner == 25);
  CHECK(last.columns == 10);
}

TEST_CASE("a network without hidden layers has two products") {
  const nn::Architecture architecture{.inputs = 6, .hidden = {}, .outputs = 3};
  CHECK(bench::flop_of(bench::products_of_step(architecture, 1)) == 2 * 2 * 18);
}

TEST_CASE("phases are means over ranks that add up to the step, and the slowest rank's") {
  // A whole step, then its six phases, of three ranks.
  const std::vector<std::vector<double>> seconds = {
      {10, 1, 2, 3, 1, 1, 1}, {10, 1, 1, 1, 1, 1, 5}, {13, 2, 3, 2, 1, 1, 3}};
  const bench::PhaseCosts costs = bench::phase_costs_of(seconds);
  CHECK(difference(costs.whole.mean, 11) < kTolerance);
  CHECK(costs.whole.slowest == 13);
  const auto phase = [&](train::StepPhase name) { return costs.phases[static_cast<std::size_t>(name)]; };
  CHECK(difference(phase(train::StepPhase::load).mean, 4.0 / 3) < kTolerance);
  CHECK(phase(train::StepPhase::forward).slowest == 3);
  CHECK(difference(phase(train::StepPhase::backward).mean, 2) < kTolerance);
  CHECK(difference(phase(train::StepPhase::wait).mean, 3) < kTolerance);
  CHECK(phase(train::StepPhase::wait).slowest == 5);
  CHECK(difference(costs.between.slowest, 1) < kTolerance);
  double together = costs.between.mean;
  for (const bench::RankSeconds& one : costs.phases) together += one.mean;
  CHECK(difference(together, costs.whole.mean) < kTolerance);
}

TEST_CASE("the limit is the time of what must be multiplied, at the best rate, and the exchange's") {
  bench::Benchmark benchmark;
  benchmark.step.seconds = 9;
  benchmark.step.rows = 100;
  benchmark.products.seconds = 4;
  benchmark.products.flop = 8e9;
  benchmark.products.products = {{{.rows = 1000, .inner = 1000, .columns = 1000}, 1},
                                 {{.rows = 1000, .inner = 500, .columns = 1000}, 0.25}};
  benchmark.products.largest = {{.rows = 1000, .inner = 1000, .columns = 1000}, 2};
  benchmark.products.needed_flop = 16e9;
  benchmark.exchange_seconds = 2;
  CHECK(difference(benchmark.products.best_gigaflops(), 4) < kTolerance);
  CHECK(difference(benchmark.limit_seconds(), 6) < kTolerance);
  CHECK(difference(benchmark.step_per_limit(), 1.5) < kTolerance);
  CHECK(difference(benchmark.products.gigaflops(), 2) < kTolerance);
  CHECK(difference(benchmark.step.rows_per_second(), 100.0 / 9) < kTolerance);
}
