// The one order in which numbers are added that come from several places. Local.
//
// What is added are the leaves of a binary tree: node (level, index) covers the leaves [index 2^level, (index + 1)
// 2^level), as far as they exist, and is the sum of its left child and its right child, in that order. Whoever holds a
// block of leaves can form every node that lies in its block; the nodes that reach over several blocks are formed from
// those. The sums, and so their bits, are the same whoever forms them. The gradients of the shards are added in this
// way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mnist_dist {

/// A node of the tree.
struct TreeNode {
  int level = 0;
  std::size_t index = 0;
  bool operator==(const TreeNode&) const = default;
};

/// The leaves [begin, end).
struct LeafBlock {
  std::size_t begin = 0;
  std::size_t end = 0;
  [[nodiscard]] std::size_t size() const { return end - begin; }
};

/// The tree over a number of leaves.
class SumTree {
 public:
  explicit SumTree(std::size_t leaves) : leaves_(leaves) {}

  [[nodiscard]] TreeNode leaf(std::size_t index) const { return without_only_children({0, index}); }
  /// Whether `right` is the right brother of `left`.
  [[nodiscard]] static bool are_brothers(const TreeNode& left, const TreeNode& right) {
    return left.level == right.level && left.index % 2 == 0 && right.index == left.index + 1;
  }
  /// The sum of two brothers.
  [[nodiscard]] TreeNode parent(const TreeNode& child) const {
    return without_only_children({child.level + 1, child.index / 2});
  }

 private:
  /// A node without a brother is its own parent's sum.
  [[nodiscard]] TreeNode without_only_children(TreeNode node) const;

  std::size_t leaves_;
};

/// How leaves (ascending blocks of them) are summed one after the other: after the i-th, the last two sums are added
/// merges[i] times. What is left are sums of the tree's nodes, in the order of the leaves.
[[nodiscard]] std::vector<std::uint8_t> merges_of(const SumTree& tree, std::span<const std::size_t> leaves);

/// One addition: sums[sum] = sums[left] + sums[right]. The sums 0, 1, ... are the given nodes, then come the
/// results of the additions in their order.
struct Addition {
  std::size_t left = 0;
  std::size_t right = 0;
};

/// How given nodes, left to right, are added as far as the tree allows.
struct AdditionPlan {
  std::size_t inputs = 0;
  std::vector<Addition> additions;
  std::vector<std::size_t> results;    ///< which sums are left, left to right
  std::vector<TreeNode> result_nodes;  ///< the nodes that they are
};

[[nodiscard]] AdditionPlan plan_additions(const SumTree& tree, const std::vector<TreeNode>& nodes);

/// The shards [begin, end): leaves of the tree in which their gradients are added.
using ShardBlock = LeafBlock;

/// The contiguous block of shards that a rank owns; the blocks differ by at most one shard.
[[nodiscard]] ShardBlock shards_of_rank(std::size_t shards, int ranks, int rank);

}  // namespace mnist_dist
