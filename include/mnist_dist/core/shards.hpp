// Which rank owns which shards. Local.
#pragma once

#include "mnist_dist/core/sum_tree.hpp"

namespace mnist_dist {

/// The shards [begin, end): leaves of the tree in which their gradients are added.
using ShardBlock = LeafBlock;

/// The contiguous block of shards that a rank owns; the blocks differ by at most one shard.
[[nodiscard]] ShardBlock shards_of_rank(std::size_t shards, int ranks, int rank);

}  // namespace mnist_dist
