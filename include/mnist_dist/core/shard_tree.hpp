// The one order in which the gradients of the shards are added. Local.
//
// The shards are the leaves of a binary tree: node (level, index) covers the shards [index 2^level, (index +
// 1) 2^level), as far as they exist, and is the sum of its left child and its right child, in that order. A
// rank that holds a block of shards can form every node that lies in its block; the nodes that reach over
// several blocks are formed from those. The sums, and so their bits, are the same whoever forms them.
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

/// The shards [begin, end).
struct ShardBlock {
  std::size_t begin = 0;
  std::size_t end = 0;
  [[nodiscard]] std::size_t size() const { return end - begin; }
};

/// The contiguous block of shards that a rank owns; the blocks differ by at most one shard.
[[nodiscard]] ShardBlock shards_of_rank(std::size_t shards, int ranks, int rank);

/// The tree over a number of shards.
class ShardTree {
 public:
  explicit ShardTree(std::size_t shards) : shards_(shards) {}

  /// The node of one shard's gradient.
  [[nodiscard]] TreeNode leaf(std::size_t shard) const { return without_only_children({0, shard}); }
  /// Whether `right` is the right brother of `left`.
  [[nodiscard]] static bool are_brothers(const TreeNode& left, const TreeNode& right) {
    return left.level == right.level && left.index % 2 == 0 && right.index == left.index + 1;
  }
  /// The sum of two brothers.
  [[nodiscard]] TreeNode parent(const TreeNode& child) const {
    return without_only_children({child.level + 1, child.index / 2});
  }
  /// The nodes that a block of shards leaves when everything in it that can be added has been added, left to
  /// right.
  [[nodiscard]] std::vector<TreeNode> nodes_of(const ShardBlock& block) const;

 private:
  /// A node without a brother is its own parent's sum.
  [[nodiscard]] TreeNode without_only_children(TreeNode node) const;

  std::size_t shards_;
};

/// How shards (ascending blocks of them) are summed one after the other: after the gradient of the i-th, the last two sums
/// are added merges[i] times. What is left are sums of the tree's nodes, in the order of the shards.
[[nodiscard]] std::vector<std::uint8_t> merges_of(const ShardTree& tree, std::span<const std::size_t> shards);

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

[[nodiscard]] AdditionPlan plan_additions(const ShardTree& tree, const std::vector<TreeNode>& nodes);

}  // namespace mnist_dist
