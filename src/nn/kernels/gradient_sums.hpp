// The gradient of a block of a layer's weights: the sum over microbatches of inputs^T deltas, along their tree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "mnist_dist/nn/pixel_lists.hpp"

namespace mnist_dist::nn {

/// In which order leaves are added: after the i-th, the last two sums are added merges[i] times (core/sum_tree.hpp).
/// One sum is left.
struct TreeOfLeaves {
  /// Sums that wait for their brother, one a level, over the most shards that a run can have.
  static constexpr std::size_t kMaxWaiting = 16;
  static constexpr int kNotWhole = -1;

  /// @throws Error (bug) when more or less than one sum would be left, or too many would wait
  explicit TreeOfLeaves(std::span<const std::uint8_t> merges_of_leaves);

  const std::uint8_t* merges;
  std::size_t count;
  int whole_levels;  ///< where all 2^levels leaves are there; otherwise kNotWhole
};

/// A microbatch of a layer that has the outputs of another one as inputs.
struct DenseLeaf {
  const float* inputs;  ///< [rows x inputs] from the block's first input on
  const float* deltas;  ///< [rows x columns]
  std::size_t rows;
  std::size_t inputs_stride;
};

/// A microbatch of the first layer: some rows of lists of pixels.
struct PixelLeaf {
  const PixelLists* lists;
  std::uint32_t first_row;  ///< in the lists, as in `deltas`
  std::uint32_t end_row;
  const float* deltas;      ///< [rows of the lists x columns]
  const float* delta_sums;  ///< [columns] over this microbatch's rows
};

/// sum [inputs x columns] = the sum over the leaves of inputs^T deltas
struct DenseGradient {
  std::span<const DenseLeaf> leaves;
  std::size_t deltas_stride;
  std::size_t inputs;
  std::size_t columns;
  float* sum;
  std::size_t sum_stride;  ///< floats from one row of the sum to the next
};
void sum_gradient(const DenseGradient& gradient, const TreeOfLeaves& tree);

/// sum [inputs x columns] = the sum over the leaves of (pixels - mean)^T deltas, without the inputs' scale
struct PixelGradient {
  std::span<const PixelLeaf> leaves;
  const float* negative_mean;  ///< [inputs of the layer, padded to groups]
  std::size_t deltas_stride;
  std::size_t first_group;
  std::size_t inputs;  ///< of the block; its last group may lack some
  std::size_t columns;
  float* sum;
};
void sum_gradient(const PixelGradient& gradient, const TreeOfLeaves& tree);

/// sum [columns] = the sum of the rows, added along the tree
void sum_rows_along_tree(std::span<const float* const> rows, const TreeOfLeaves& tree, std::size_t columns, float* sum);

}  // namespace mnist_dist::nn
