#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "../unit/float_comparison.hpp"
#include "known_gradients.hpp"
#include "mnist_dist/comm/gradient_reduction.hpp"
#include "mnist_dist/core/sum_tree.hpp"

using namespace mnist_dist;
using comm::Communicator;
using comm::ExchangeKind;
using comm::GradientReduction;

namespace {

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

/// Blocks of different sizes, costs and grains that cover all parameters.
std::vector<comm::ParameterBlock> some_blocks() {
  std::vector<comm::ParameterBlock> blocks;
  for (std::size_t begin = 0; begin < kParameters;) {
    const std::size_t end = std::min(kParameters, begin + 100 + 37 * (blocks.size() % 5));
    blocks.push_back({{begin, end}, blocks.size() % 3 == 0 ? 5.0 : 1.0, blocks.size() % 2 == 0 ? 32 : end - begin});
    begin = end;
  }
  return blocks;
}

/// One step of parameters -= sum of the gradients. @return the sums over this rank's range
std::vector<float> do_step(const Communicator& ranks, const Communicator& host, GradientReduction& reduction,
                           std::uint32_t step) {
  KnownGradients gradients(ranks, host, reduction, step);
  std::vector<float> total;
  std::vector<float> room(kParameters);
  reduction.exchange(gradients);
  for (const ParameterRange& block : reduction.my_blocks()) {
    CHECK(block.begin == reduction.my_range().begin + total.size());
    const std::span<float> gradient = reduction.sum(block, gradients, std::span(room).first(block.size()));
    total.insert(total.end(), gradient.begin(), gradient.end());
    const std::span<float> parameters = reduction.to_update(block);
    for (std::size_t i = 0; i < gradient.size(); ++i) parameters[i] -= gradient[i];
    reduction.updated(block);
  }
  reduction.share_parameters();
  reduction.await_parameters();
  return total;
}

/// What all ranks gather: each parameter's number.
void check_all_gather(const GradientReduction& reduction) {
  std::vector<double> mine;
  for (const ParameterRange& block : reduction.my_blocks()) {
    for (std::size_t i = block.begin; i < block.end; ++i) mine.push_back(static_cast<double>(i));
  }
  std::vector<double> all(kParameters);
  reduction.all_gather(mine, all);
  for (std::size_t i = 0; i < all.size(); ++i) REQUIRE(all[i] == static_cast<double>(i));
}

/// Three steps, against the same computed from the definition.
void check_steps(const Communicator& ranks, const Communicator& host, std::size_t shards, ExchangeKind kind) {
  std::size_t width = 1;
  while (width < shards) width *= 2;
  const auto reduction = comm::make_tree_reduction(ranks, host, shards, some_blocks(), {kind, kMostPacked});
  std::vector<float> expected = gradient_of(99, 0);
  std::vector<float> mine_alone(kParameters, -7.0F);
  std::ranges::copy(reduction->my_range().of(std::span(expected)),
                    reduction->my_range().of(std::span(mine_alone)).begin());
  reduction->set_parameters(mine_alone);
  CHECK(same_bits(reduction->parameters(), expected));
  for (std::uint32_t step = 0; step < 3; ++step) {
    const std::vector<float> total = tree_sum(0, width, shards, step);
    const std::vector<float> mine = do_step(ranks, host, *reduction, step);
    CHECK(same_bits(mine, reduction->my_range().of(std::span(total))));
    for (std::size_t i = 0; i < kParameters; ++i) expected[i] -= total[i];
    CHECK(same_bits(reduction->parameters(), expected));
    std::vector<float> gathered = {1, 2, 3};  // whatever it held
    reduction->gather(mine, gathered);
    if (ranks.rank() == 0) CHECK(same_bits(gathered, total));
    check_all_gather(*reduction);
  }
}

void check_both(const Communicator& ranks, const Communicator& host, std::size_t shards) {
  check_steps(ranks, host, shards, ExchangeKind::gradients);
  check_steps(ranks, host, shards, ExchangeKind::activations);
}

}  // namespace

TEST_CASE("gradients are summed in the order of the tree, whichever rank holds which shard") {
  const Communicator world = Communicator::world();
  const Communicator host = world.split_by_host();
  for (const std::size_t shards : {8, 9, 12, 13, 16}) {
    CAPTURE(shards);
    check_steps(world, host, shards, ExchangeKind::gradients);
  }
  check_steps(world, host, static_cast<std::size_t>(world.size()), ExchangeKind::gradients);
}

TEST_CASE("the same between hosts, however ranks lie on them, and whatever they exchange") {
  const Communicator world = Communicator::world();
  for (const std::size_t shards : {8, 11}) {
    CAPTURE(shards);
    SUBCASE("two ranks a host") {
      check_both(world, world.split(world.rank() / 2), shards);
    }
    SUBCASE("three ranks a host, the last host fewer") {
      check_both(world, world.split(world.rank() / 3), shards);
    }
    SUBCASE("a host for each rank") {
      check_both(world, world.split(world.rank()), shards);
    }
    SUBCASE("two ranks on a host, the others alone") {
      check_both(world, world.split(world.rank() == 1 ? 0 : world.rank()), shards);
    }
    SUBCASE("ranks dealt to two hosts in turn") {
      const Communicator host = world.split(world.rank() % 2);
      check_both(world.numbered_by_host(host), host, shards);
    }
  }
}

TEST_CASE("fewer blocks than hosts: some update nothing") {
  const Communicator world = Communicator::world();
  const Communicator host = world.split(world.rank());
  const std::vector<comm::ParameterBlock> one = {{{0, kParameters}, 1.0, kParameters}};
  const auto reduction = comm::make_tree_reduction(world, host, 8, one, {ExchangeKind::gradients, 0});
  reduction->set_parameters(std::vector<float>(kParameters, 0.0F));
  const std::vector<float> mine = do_step(world, host, *reduction, 2);
  const std::vector<float> total = tree_sum(0, 8, 8, 2);
  if (!mine.empty()) CHECK(same_bits(mine, total));
  std::vector<float> gathered;
  reduction->gather(mine, gathered);
  if (world.rank() == 0) CHECK(same_bits(gathered, total));
  for (std::size_t i = 0; i < kParameters; ++i) REQUIRE(reduction->parameters()[i] == -total[i]);
}

TEST_CASE("ranks that are not numbered host by host are refused") {
  const Communicator world = Communicator::world();
  if (world.size() < 3) return;
  const Communicator host = world.split(world.rank() % 2);
  CHECK_THROWS_AS(make_tree_reduction(world, host, 8, some_blocks(), {}), Error);
}

TEST_CASE("numbered by host, ranks dealt to hosts in turn merge their shards as neighbours do") {
  const Communicator world = Communicator::world();
  const Communicator host = world.split(world.rank() % 2);
  const Communicator ranks = world.numbered_by_host(host);
  for (const std::size_t shards : {8, 11, 64}) {
    CAPTURE(shards);
    check_both(ranks, host, shards);
    const auto reduction = comm::make_tree_reduction(ranks, host, shards, some_blocks(), {});
    const std::span<const comm::ShardSum> sums = reduction->shard_sums();
    const LeafBlock mine{sums.front().shards.front().shard, sums.back().shards.back().shard + 1};
    std::size_t shards_of_host = 0;
    for (const comm::ShardSum& sum : sums) shards_of_host += sum.shards.size();
    CHECK(shards_of_host == mine.size());
    const SumTree tree(shards);
    std::vector<TreeNode> leaves;
    for (std::size_t shard = mine.begin; shard < mine.end; ++shard) leaves.push_back(tree.leaf(shard));
    CHECK(sums.size() == plan_additions(tree, leaves).result_nodes.size());
  }
}

TEST_CASE("all blocks can be summed before the first is updated") {
  const Communicator world = Communicator::world();
  for (const bool pretend_hosts : {false, true}) {
    CAPTURE(pretend_hosts);
    const Communicator host = pretend_hosts ? world.split(world.rank() / 2) : world.split_by_host();
    const auto reduction = comm::make_tree_reduction(world, host, 8, some_blocks(), {});
    reduction->set_parameters(std::vector<float>(kParameters, 1.0F));
    KnownGradients gradients(world, host, *reduction, 5);
    const std::vector<float> total = tree_sum(0, 8, 8, 5);
    reduction->exchange(gradients);
    std::vector<std::span<float>> sums;
    std::vector<float> room(kParameters);
    for (const ParameterRange& block : reduction->my_blocks()) {
      sums.push_back(reduction->sum(block, gradients, block.of(std::span(room))));
    }
    world.barrier();  // somebody may communicate here
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const ParameterRange& block = reduction->my_blocks()[i];
      CHECK(same_bits(sums[i], block.of(std::span(total))));
      std::ranges::copy(sums[i], reduction->to_update(block).begin());
      reduction->updated(block);
    }
    reduction->share_parameters();
    reduction->await_parameters();
    CHECK(same_bits(reduction->parameters(), total));
  }
}

TEST_CASE("MPI's allreduce gives the same sums but for the rounding") {
  const Communicator world = Communicator::world();
  const Communicator host = world.split_by_host();
  const auto reduction = comm::make_mpi_reduction(world, 11, some_blocks());
  reduction->set_parameters(gradient_of(99, 0));
  const std::vector<float> total = do_step(world, host, *reduction, 1);
  const std::vector<float> expected = tree_sum(0, 16, 11, 1);
  CHECK(largest_difference(total, expected) < 1e-5);
  std::vector<float> updated = gradient_of(99, 0);
  for (std::size_t i = 0; i < updated.size(); ++i) updated[i] -= total[i];
  CHECK(same_bits(reduction->parameters(), updated));
  std::vector<float> gathered;
  reduction->gather(total, gathered);
  CHECK(gathered.size() == (world.rank() == 0 ? kParameters : 0));
}

TEST_CASE("the test's gradients tell orders of addition apart") {
  std::vector<float> in_turn = gradient_of(0, 0);
  for (std::size_t shard = 1; shard < 8; ++shard) in_turn = sum(in_turn, gradient_of(shard, 0));
  CHECK_FALSE(same_bits(in_turn, tree_sum(0, 8, 8, 0)));
}
