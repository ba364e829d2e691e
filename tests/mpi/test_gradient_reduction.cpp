#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include "mnist_dist/comm/gradient_reduction.hpp"
#include "mnist_dist/comm/shard_tree.hpp"
#include "mnist_dist/core/random.hpp"

using namespace mnist_dist;
using comm::Communicator;
using comm::GradientReduction;

namespace {

constexpr std::size_t kParameters = 5003;

/// The gradient of a shard in a step: values of very different sizes, so that every order of addition rounds
/// otherwise.
std::vector<float> gradient_of(std::size_t shard, std::uint32_t step) {
  RandomStream stream({.seed = 1, .purpose = Purpose::shuffle, .epoch = step, .id = shard});
  std::vector<float> values(kParameters);
  for (float& value : values) value = stream.uniform(-1, 1) * (stream.below(2) == 0 ? 1.0F : 1e-3F);
  return values;
}

std::vector<float> sum(std::vector<float> left, const std::vector<float>& right) {
  for (std::size_t i = 0; i < left.size(); ++i) left[i] += right[i];
  return left;
}

/// The tree's definition, by recursion from the root.
std::vector<float> tree_sum(std::size_t first, std::size_t width, std::size_t shards, std::uint32_t step) {
  if (width == 1) return gradient_of(first, step);
  const std::size_t middle = first + width / 2;
  if (middle >= shards) return tree_sum(first, width / 2, shards, step);
  return sum(tree_sum(first, width / 2, shards, step), tree_sum(middle, width / 2, shards, step));
}

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

/// Three steps of parameters -= sum of the gradients, against the same computed from the definition.
void check_steps(const Communicator& world, const Communicator& host, std::size_t shards) {
  std::size_t width = 1;
  while (width < shards) width *= 2;
  GradientReduction reduction(world, host, shards, kParameters);
  std::vector<float> expected = gradient_of(99, 0);
  reduction.set_parameters(expected);
  CHECK(same_bits(reduction.parameters(), expected));
  for (std::uint32_t step = 0; step < 3; ++step) {
    const comm::ShardBlock mine = comm::shards_of_rank(shards, world.size(), world.rank());
    for (std::size_t shard = mine.begin; shard < mine.end; ++shard) {
      const std::vector<float> gradient = gradient_of(shard, step);
      std::memcpy(reduction.next_gradient().data(), gradient.data(), kParameters * sizeof(float));
      reduction.add_gradient();
    }
    const std::span<const float> result = reduction.finish();
    const std::vector<float> total = tree_sum(0, width, shards, step);
    CHECK(same_bits(result, reduction.my_range().of(std::span(total))));
    const std::span<float> parameters = reduction.my_parameters();
    for (std::size_t i = 0; i < result.size(); ++i) parameters[i] -= result[i];
    reduction.gather_parameters();
    for (std::size_t i = 0; i < kParameters; ++i) expected[i] -= total[i];
    CHECK(same_bits(reduction.parameters(), expected));
  }
}

}  // namespace

TEST_CASE("gradients are summed in the order of the tree, whichever rank holds which shard") {
  const Communicator world = Communicator::world();
  const Communicator host = world.split_by_host();
  for (const std::size_t shards : {8, 9, 12, 13, 16}) {
    CAPTURE(shards);
    check_steps(world, host, shards);
  }
  check_steps(world, host, static_cast<std::size_t>(world.size()));
}

TEST_CASE("the same between hosts, however ranks lie on them") {
  const Communicator world = Communicator::world();
  for (const std::size_t shards : {8, 11}) {
    CAPTURE(shards);
    SUBCASE("two ranks a host") {
      check_steps(world, world.split(world.rank() / 2), shards);
    }
    SUBCASE("three ranks a host, the last host fewer") {
      check_steps(world, world.split(world.rank() / 3), shards);
    }
    SUBCASE("a host for each rank") {
      check_steps(world, world.split(world.rank()), shards);
    }
    SUBCASE("ranks dealt to two hosts in turn") {
      check_steps(world, world.split(world.rank() % 2), shards);
    }
  }
}

TEST_CASE("the test's gradients tell orders of addition apart") {
  std::vector<float> in_turn = gradient_of(0, 0);
  for (std::size_t shard = 1; shard < 8; ++shard) in_turn = sum(in_turn, gradient_of(shard, 0));
  CHECK_FALSE(same_bits(in_turn, tree_sum(0, 8, 8, 0)));
}
