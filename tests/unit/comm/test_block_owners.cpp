// Which rank updates which blocks: who is given how much.
#include <doctest/doctest.h>

#include <vector>

#include "../../../src/comm/block_owners.hpp"
#include "mnist_dist/comm/gradient_reduction.hpp"

using namespace mnist_dist;
using comm::BlockOwners;
using comm::ParameterBlock;

namespace {

/// Blocks of 10 parameters each with these costs.
std::vector<ParameterBlock> blocks_of(const std::vector<double>& costs) {
  std::vector<ParameterBlock> blocks;
  for (std::size_t i = 0; i < costs.size(); ++i) blocks.push_back({{10 * i, 10 * (i + 1)}, costs[i]});
  return blocks;
}

std::vector<std::size_t> numbers_of_blocks(const std::vector<double>& costs, int ranks) {
  const BlockOwners owners(blocks_of(costs), ranks);
  std::vector<std::size_t> numbers;
  for (int rank = 0; rank < ranks; ++rank) numbers.push_back(owners.blocks_of(rank).size());
  return numbers;
}

using Numbers = std::vector<std::size_t>;

}  // namespace

TEST_CASE("a block belongs to the rank in whose share of the cost its middle lies") {
  CHECK(numbers_of_blocks({1, 1, 1, 1, 1, 1}, 3) == Numbers{2, 2, 2});
  CHECK(numbers_of_blocks({1, 1, 1, 1, 1}, 2) == Numbers{2, 3});  // the third one's middle is where the second begins
  CHECK(numbers_of_blocks({3, 1, 1, 1}, 2) == Numbers{1, 3});
  CHECK(numbers_of_blocks({1, 3, 1, 1}, 2) == Numbers{2, 2});
  CHECK(numbers_of_blocks({1, 1, 3, 1}, 2) == Numbers{2, 2});
  // A block that outweighs the rest leaves ranks without any.
  CHECK(numbers_of_blocks({1, 10, 1}, 4) == Numbers{1, 0, 1, 1});
  CHECK(numbers_of_blocks({1, 1}, 4) == Numbers{0, 1, 0, 1});
}

TEST_CASE("the ranks' ranges follow one another and hold all parameters") {
  for (const int ranks : {1, 2, 3, 7, 20}) {
    CAPTURE(ranks);
    const BlockOwners owners(blocks_of({5, 1, 1, 2, 8, 1, 1}), ranks);
    CHECK(owners.parameter_count() == 70);
    std::size_t next = 0;
    for (int rank = 0; rank < ranks; ++rank) {
      const ParameterRange range = owners.range_of(rank);
      CHECK(range.begin == next);
      CHECK(range.size() == 10 * owners.blocks_of(rank).size());
      for (const ParameterRange& block : owners.blocks_of(rank)) CHECK(range.contains(block));
      next = range.end;
    }
    CHECK(next == 70);
  }
}
