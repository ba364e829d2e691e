// Several microbatches, one after the other in the rows of one batch, and how their gradients are added.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace mnist_dist::nn {

/// After the gradient of microbatch i, the last two sums are added merges[i] times. What is left are the results, first to
/// last. (core/shard_tree.hpp gives the merges of a rank's shards.) Owns nothing.
struct Microbatches {
  std::span<const std::size_t> rows;     ///< by microbatch: how many rows it has, perhaps none
  std::span<const std::uint8_t> merges;  ///< by microbatch
};

}  // namespace mnist_dist::nn
