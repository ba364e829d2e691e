#include "mnist_dist/core/sum_tree.hpp"

namespace mnist_dist {

TreeNode SumTree::without_only_children(TreeNode node) const {
  while (node.index > 0 && node.index % 2 == 0 && ((node.index + 1) << node.level) >= leaves_) {
    ++node.level;
    node.index /= 2;
  }
  return node;
}

std::vector<std::uint8_t> merges_of(const SumTree& tree, std::span<const std::size_t> leaves) {
  std::vector<std::uint8_t> merges;
  std::vector<TreeNode> sums;
  for (const std::size_t index : leaves) {
    sums.push_back(tree.leaf(index));
    std::uint8_t& added = merges.emplace_back(0);
    while (sums.size() >= 2 && SumTree::are_brothers(sums[sums.size() - 2], sums.back())) {
      sums.pop_back();
      sums.back() = tree.parent(sums.back());
      ++added;
    }
  }
  return merges;
}

AdditionPlan plan_additions(const SumTree& tree, const std::vector<TreeNode>& nodes) {
  AdditionPlan plan;
  plan.inputs = nodes.size();
  for (std::size_t input = 0; input < nodes.size(); ++input) {
    plan.results.push_back(input);
    plan.result_nodes.push_back(nodes[input]);
    while (plan.results.size() >= 2 &&
           SumTree::are_brothers(plan.result_nodes[plan.results.size() - 2], plan.result_nodes.back())) {
      plan.additions.push_back({plan.results[plan.results.size() - 2], plan.results.back()});
      plan.results.pop_back();
      plan.result_nodes.pop_back();
      plan.results.back() = nodes.size() + plan.additions.size() - 1;
      plan.result_nodes.back() = tree.parent(plan.result_nodes.back());
    }
  }
  return plan;
}

ShardBlock shards_of_rank(std::size_t shards, int ranks, int rank) {
  const auto count = static_cast<std::size_t>(ranks);
  const auto index = static_cast<std::size_t>(rank);
  return {shards * index / count, shards * (index + 1) / count};
}

}  // namespace mnist_dist
