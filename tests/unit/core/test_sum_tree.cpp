#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "mnist_dist/core/sum_tree.hpp"

using namespace mnist_dist;

namespace {

/// Writes a plan's results as the sums that they are, such as "((0+1)+2)".
std::vector<std::string> written_out(const AdditionPlan& plan, std::vector<std::string> sums) {
  for (const Addition& addition : plan.additions) {
    sums.push_back("(" + sums[addition.left] + "+" + sums[addition.right] + ")");
  }
  std::vector<std::string> results;
  for (const std::size_t result : plan.results) results.push_back(sums[result]);
  return results;
}

/// The whole sum when the shards are divided over this many ranks.
std::string sum_over(std::size_t shards, int ranks) {
  const SumTree tree(shards);
  std::vector<TreeNode> nodes;
  std::vector<std::string> names;
  for (int rank = 0; rank < ranks; ++rank) {
    const ShardBlock block = shards_of_rank(shards, ranks, rank);
    std::vector<TreeNode> leaves;
    std::vector<std::string> leaf_names;
    std::vector<std::size_t> of_rank;
    for (std::size_t shard = block.begin; shard < block.end; ++shard) {
      of_rank.push_back(shard);
      leaves.push_back(tree.leaf(shard));
      leaf_names.push_back(std::to_string(shard));
    }
    const AdditionPlan plan = plan_additions(tree, leaves);
    std::size_t additions = 0;
    for (const std::uint8_t count : merges_of(tree, of_rank)) additions += count;
    CHECK(additions == plan.additions.size());
    nodes.insert(nodes.end(), plan.result_nodes.begin(), plan.result_nodes.end());
    for (const std::string& name : written_out(plan, leaf_names)) names.push_back(name);
  }
  const AdditionPlan plan = plan_additions(tree, nodes);
  REQUIRE(plan.results.size() == 1);
  return written_out(plan, names).front();
}

}  // namespace

TEST_CASE("eight shards are added as a balanced tree") {
  CHECK(sum_over(8, 1) == "(((0+1)+(2+3))+((4+5)+(6+7)))");
}

TEST_CASE("a number of shards that is no power of two leaves the right side short") {
  CHECK(sum_over(1, 1) == "0");
  CHECK(sum_over(5, 1) == "(((0+1)+(2+3))+4)");
  CHECK(sum_over(6, 1) == "(((0+1)+(2+3))+(4+5))");
  CHECK(sum_over(7, 1) == "(((0+1)+(2+3))+((4+5)+6))");
}

TEST_CASE("the sum is the same for any number of ranks") {
  for (std::size_t shards = 1; shards <= 40; ++shards) {
    const std::string expected = sum_over(shards, 1);
    for (int ranks = 2; ranks <= static_cast<int>(shards); ++ranks) CHECK(sum_over(shards, ranks) == expected);
  }
}

TEST_CASE("shards are summed one after the other") {
  const auto merges = [](const std::vector<std::size_t>& shards) { return merges_of(SumTree(8), shards); };
  CHECK(merges({0, 1, 2, 3, 4, 5, 6, 7}) == std::vector<std::uint8_t>{0, 1, 0, 2, 0, 1, 0, 3});
  CHECK(merges({3, 4, 5}) == std::vector<std::uint8_t>{0, 0, 1});
  // Blocks of ranks that are not neighbours.
  CHECK(merges({0, 1, 4, 5, 6}) == std::vector<std::uint8_t>{0, 1, 0, 1, 0});
}

TEST_CASE("8 shards over 3 ranks: the first has fewer") {
  CHECK(shards_of_rank(8, 3, 0).end == 2);
  CHECK(shards_of_rank(8, 3, 1).end == 5);
  CHECK(shards_of_rank(8, 3, 2).end == 8);
}

TEST_CASE("ranks own contiguous blocks that differ by at most one shard") {
  for (const int ranks : {1, 2, 3, 5, 8}) {
    std::size_t next = 0;
    for (int rank = 0; rank < ranks; ++rank) {
      const ShardBlock block = shards_of_rank(8, ranks, rank);
      CHECK(block.begin == next);
      CHECK(block.size() >= 8U / static_cast<std::size_t>(ranks));
      CHECK(block.size() <= 8U / static_cast<std::size_t>(ranks) + 1);
      next = block.end;
    }
    CHECK(next == 8);
  }
}
