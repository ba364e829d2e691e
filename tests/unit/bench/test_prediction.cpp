#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "../../../src/comm/block_owners.hpp"
#include "float_comparison.hpp"
#include "mnist_dist/bench/prediction.hpp"
#include "mnist_dist/nn/network.hpp"

using namespace mnist_dist;
using bench::Layout;
using comm::ExchangeKind;

namespace {

constexpr double kTolerance = 1e-9;
// What exchange_schedule.hpp takes for the handling of some messages, in seconds; the links below are much slower.
constexpr double kOfMessages = 1e-3;

/// A row takes a second, all parameters' gradient 160 s over 8 microbatches, and 5 more for each one more.
bench::WorkCosts work_costs() {
  bench::WorkCosts costs;
  costs.ranks = 2;
  costs.passes = bench::Curve({{10, 10}, {80, 80}});
  costs.gradient = bench::Curve({{80, 160}});
  costs.microbatches = 8;
  costs.microbatch = 5;
  costs.update = 42;
  costs.waiting = 3;
  costs.end_of_epoch = 100;
  return costs;
}

bench::Costs costs() {
  return {.alone = work_costs(), .together = work_costs()};
}

/// Ten steps of 80 rows; 1000 parameters in four blocks.
bench::Job job() {
  bench::Job job{.rows = 800, .batch_size = 80, .shards = 8, .blocks = {}, .row_bytes = 9, .microbatch_bytes = 10};
  for (std::size_t block = 0; block < 4; ++block) job.blocks.push_back({{250 * block, 250 * (block + 1)}, 7});
  return job;
}

double epoch_of(const Layout& layout) {
  return bench::predict(costs(), job(), layout, {}).epoch_seconds;
}

std::vector<comm::ParameterBlock> with_costs(const std::vector<double>& costs) {
  std::vector<comm::ParameterBlock> blocks;
  for (const double cost : costs) blocks.push_back({{blocks.size(), blocks.size() + 1}, cost});
  return blocks;
}

}  // namespace

TEST_CASE("a curve goes through its points, straight between and beyond them, and not below 0") {
  const bench::Curve curve({{10, 1}, {20, 3}, {40, 4}});
  CHECK(curve.at(10) == 1);
  CHECK(curve.at(20) == 3);
  CHECK(curve.at(40) == 4);
  CHECK(difference(curve.at(15), 2) < kTolerance);
  CHECK(difference(curve.at(30), 3.5) < kTolerance);
  CHECK(difference(curve.at(60), 5) < kTolerance);
  CHECK(difference(curve.at(7), 0.4) < kTolerance);
  CHECK(curve.at(0) == 0);
  CHECK(bench::Curve({{10, 7}}).at(1000) == 7);
}

TEST_CASE("ranks share out whole blocks") {
  CHECK(difference(bench::largest_share(with_costs({1, 1, 1, 1}), {1}), 1) < kTolerance);
  CHECK(difference(bench::largest_share(with_costs({1, 1, 1, 1}), {2}), 0.5) < kTolerance);
  CHECK(difference(bench::largest_share(with_costs({1, 1, 1, 1}), {3}), 0.5) < kTolerance);
  CHECK(difference(bench::largest_share(with_costs({1, 1, 1, 1}), {64}), 0.25) < kTolerance);
  CHECK(difference(bench::largest_share(with_costs({6, 1, 1}), {2}), 0.75) < kTolerance);
}

TEST_CASE("between hosts blocks are cut at their grains, and a host's ranks share out what it has") {
  const std::vector<comm::ParameterBlock> blocks = {{{0, 60}, 6, 10}, {{60, 80}, 2, 10}};
  CHECK(difference(bench::largest_share(blocks, {1}), 1) < kTolerance);
  CHECK(difference(bench::largest_share(blocks, {1, 1}), 0.5) < kTolerance);
  CHECK(difference(bench::largest_share(blocks, {2, 2}), 0.5) < kTolerance);  // the first host has a single block
  CHECK(difference(bench::largest_share(blocks, {1, 1, 1, 1}), 0.25) < kTolerance);
}

TEST_CASE("the largest share is that of the program's own division of the blocks") {
  const nn::Architecture architecture{.inputs = 784, .hidden = {100, 100, 100}, .outputs = 10};
  const std::vector<float> ones(784, 1);
  const nn::Network network(architecture, nn::standardizing(ones, ones));
  std::vector<comm::ParameterBlock> blocks;
  double total = 0;
  for (const ParameterRange& range : network.blocks()) {
    blocks.push_back({range, network.cost(range, 100, 8)});
    total += blocks.back().cost;
  }
  for (int ranks = 1; ranks <= 200; ++ranks) {
    const comm::BlockOwners owners(blocks, ranks);
    double largest = 0;
    for (int rank = 0; rank < ranks; ++rank) {
      double of_rank = 0;
      for (const ParameterRange& range : owners.blocks_of(rank)) of_rank += network.cost(range, 100, 8);
      largest = std::max(largest, of_rank);
    }
    CHECK(difference(bench::largest_share(blocks, {ranks}), largest / total) < kTolerance);
  }
}

TEST_CASE("one host: rows and parameters are divided, waiting grows") {
  CHECK(difference(epoch_of({1, 1}), 10 * (80 + 160 + 42) + 100) < kTolerance);
  CHECK(difference(epoch_of({1, 2}), 10 * (40 + 3 + (160 + 42) / 2.0) + 50) < kTolerance);
  // A rank of three has three shards of the eight, and two blocks of the four.
  CHECK(difference(epoch_of({1, 3}), 10 * (30 + 3 * std::log2(3) + (160 + 42) / 2.0) + 37.5) < kTolerance);
  CHECK(bench::predict(costs(), job(), {1, 2}, {}).sent == std::nullopt);
  CHECK(bench::predict(costs(), job(), {1, 2}, {}).traffic.seconds == 0);
}

TEST_CASE("a rank that has its host for itself, on one host or on many, costs what it costs alone") {
  bench::Costs costs = ::costs();
  costs.alone.update = 0;
  const auto step = [&](const Layout& layout) {
    return bench::predict(costs, job(), layout, {.latency = 0, .bytes_per_second = 1e12}).step_seconds;
  };
  CHECK(difference(step({1, 1}), 80 + 160) < kTolerance);
  CHECK(difference(step({1, 2}), 40 + 3 + (160 + 42) / 2.0) < kTolerance);
  CHECK(difference(step({2, 1}), 40 + 3 + 160 - 4 * 5) < kOfMessages);
}

TEST_CASE("more ranks than shards have a shard each; where a batch has fewer rows than shards, some have none") {
  // 16 microbatches of 5 rows.
  CHECK(difference(epoch_of({1, 16}), 10 * (5 + 3 * 4 + (160 + 8 * 5 + 42) / 4.0) + 100 / 16.0) < kTolerance);
  // 80 of 128 shards have a row.
  CHECK(difference(epoch_of({1, 128}), 10 * (1 + 3 * 7 + (160 + 72 * 5 + 42) / 4.0) + 100 / 128.0) < kTolerance);
}

TEST_CASE("several hosts send what is quicker") {
  // 40 rows of 9 bytes and 4 microbatches of 10 in 4 s, and all parameters at each host; or twice 500 parameters of 4
  // bytes, in 20 s each, the gradient over four microbatches, and half of the update with an addition, 3/7 of it.
  constexpr double kCommon = 40 + 3;
  constexpr double kActivations = 160 + 42;
  constexpr double kGradients = 160 - 4 * 5 + (42 + 18) / 2.0;
  const bench::Prediction slow = bench::predict(costs(), job(), {2, 1}, {.latency = 1, .bytes_per_second = 100});
  CHECK(slow.sent == ExchangeKind::activations);
  CHECK(difference(slow.traffic.seconds, 1 + 4) < kOfMessages);
  CHECK(slow.traffic.messages == 1);
  CHECK(slow.traffic.bytes == 400);
  CHECK(difference(slow.step_seconds, kCommon + kActivations + 5) < kOfMessages);
  const bench::Prediction fast = bench::predict(costs(), job(), {2, 1}, {.latency = 1, .bytes_per_second = 1000});
  CHECK(fast.sent == ExchangeKind::gradients);
  CHECK(difference(fast.traffic.seconds, 2 * (1 + 2)) < kOfMessages);
  CHECK(fast.traffic.messages == 2);
  CHECK(fast.traffic.bytes == 4000);
  CHECK(difference(fast.step_seconds, kCommon + kGradients + 6) < kOfMessages);
  CHECK(difference(fast.epoch_seconds, 10 * fast.step_seconds + 50) < kTolerance);

  // Or what the job asks for.
  bench::Job job = ::job();
  job.exchange = ExchangeKind::gradients;
  const bench::Prediction asked = bench::predict(costs(), job, {2, 1}, {.latency = 1, .bytes_per_second = 100});
  CHECK(asked.sent == ExchangeKind::gradients);
  CHECK(difference(asked.traffic.seconds, 2 * (1 + 20)) < kOfMessages);
  job.exchange = ExchangeKind::activations;
  CHECK(bench::predict(costs(), job, {2, 1}, {.latency = 1, .bytes_per_second = 1000}).sent ==
        ExchangeKind::activations);
}

TEST_CASE("layouts: powers of two on a host, then of hosts, up to 4096 ranks") {
  const std::vector<Layout> of_two = bench::layouts_to_predict(2);
  REQUIRE(of_two.size() == 13);
  CHECK(of_two.front() == Layout{1, 1});
  CHECK(of_two[1] == Layout{1, 2});
  CHECK(of_two[2] == Layout{2, 2});
  CHECK(of_two.back() == Layout{2048, 2});
  CHECK(bench::layouts_to_predict(3) == [] {
    std::vector<Layout> layouts = {{1, 1}, {1, 2}};
    for (int hosts = 1; hosts <= 1024; hosts *= 2) layouts.push_back({hosts, 3});
    return layouts;
  }());
  CHECK(bench::layouts_to_predict(1).size() == 13);
  CHECK(bench::layouts_to_predict(4096).back() == Layout{1, 4096});
}

TEST_CASE("links: the measured one comes first") {
  CHECK(bench::links_to_predict({}).size() == 4);
  CHECK(difference(bench::links_to_predict({}).front().link.bytes_per_second, 125e6) < 1);
  const std::vector<bench::NamedLink> links = bench::links_to_predict(comm::Link{.latency = 5, .bytes_per_second = 7});
  REQUIRE(links.size() == 5);
  CHECK(links.front().link.bytes_per_second == 7);
  CHECK(links[2].name == "10 Gbit/s");
}

TEST_CASE("the fastest layout, and the largest of at least half the efficiency") {
  // A link that costs nothing, and one that is worth no second host.
  const std::vector<bench::NamedLink> links = {{"free", {.latency = 0, .bytes_per_second = 1e12}},
                                               {"slow", {.latency = 1000, .bytes_per_second = 1e12}}};
  const bench::ScalingTable table = bench::predict_all(costs(), job(), 4, links);
  const bench::LinkPredictions& slow = table.links[1];
  CHECK(table.layouts[slow.fastest] == Layout{1, 4});
  CHECK(table.layouts[slow.last_efficient] == Layout{1, 4});
  // 4 ranks: 10 (20 + 6 + 202 / 4) + 25 = 790 s, of 2920.
  CHECK(difference(slow.speed_up(2), 2920.0 / 790) < kTolerance);
  CHECK(difference(table.efficiency(slow, 2), 2920.0 / 790 / 4) < kTolerance);
  const bench::LinkPredictions& free = table.links[0];
  CHECK(free.speed_up(free.fastest) >= free.speed_up(3));
  CHECK(table.layouts[free.fastest].hosts > 1);
  for (std::size_t layout = free.last_efficient + 1; layout < table.layouts.size(); ++layout) {
    CHECK(table.efficiency(free, layout) < 0.5);
  }
}
