// The matrix products of a network, for this processor's vectors.
//
// BLAS chooses its kernels by the shape of a product, so a row's bits depend on how many rows stand beside it. Here each
// element of a product (or of its part over a segment) is one chain of multiply-adds over the inner index, in ascending
// order, whatever the shape. So a rank can take the rows of all its shards through a layer at once, and the gradient of each
// shard can be added along the tree while it is still in registers. All matrices are row-major; columns are padded to a
// multiple of 16 with zeros, and rows begin at a multiple of 16 floats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernel_table.hpp"
#include "mnist_dist/core/matrix_view.hpp"
#include "mnist_dist/nn/activations.hpp"

namespace mnist_dist::nn {

/// c = a b.  a [m x k], b [k x n], c [m x n]; n a multiple of 16
void multiply_rows(const MatrixView<const float>& a, const MatrixView<const float>& b, const MatrixView<float>& c);

/// The same bits, faster where b does not fit a core's cache.
void multiply_rows_by_large(const MatrixView<const float>& a, const MatrixView<const float>& b,
                            const MatrixView<float>& c);
/// The same for c = a b^T, b [n x k]; the columns of c beyond its rows become zero.
void multiply_rows_by_large_transposed(const MatrixView<const float>& a, const MatrixView<const float>& b,
                                       const MatrixView<float>& c);

/// to = from^T. from [m x n], to [n x m]
void transpose(const MatrixView<const float>& from, const MatrixView<float>& to);

/// Notes in `activity` which inputs are not zero.
void mark_active(const MatrixView<const float>& inputs, const InputActivity& activity);

/// Room for a list of the groups of inputs that are not zero in each four rows, segment by segment.
struct ActiveGroups {
  std::vector<unsigned> groups;  ///< [rows / 4, rounded up, x groups of the inputs], the first ones of each
  std::vector<unsigned> ends;    ///< [rows / 4, rounded up, x segments]: where a segment ends among these
};

/// For each segment of a's columns: its starting row + a b over the segment, each element a chain as in multiply_rows(),
/// which leaves out where a is zero in four rows together. The segments' sums are added along a tree.
struct SegmentProduct {
  MatrixView<const float> a;                ///< [rows x inputs]
  InputActivity activity;                   ///< of a
  MatrixView<const float> b;                ///< [inputs x columns]
  std::span<const std::size_t> bounds;      ///< [segments + 1] of the segments, in groups of inputs
  MatrixView<const float> starts;           ///< [segments x columns], or without data: zeros
  std::span<const std::uint8_t> merges;     ///< [segments] (core/sum_tree.hpp)
  std::span<const MatrixView<float>> sums;  ///< what is left, each [rows x columns], of the same stride
};
/// @throws Error (bug), before anything is written, when the merges leave another number of sums or are no tree's
void multiply_segments(const SegmentProduct& product, ActiveGroups& active);

/// The sums of inputs^T deltas over the rows of each microbatch, added along the tree (kernel_table.hpp).
/// @param sums without sum_ends and sums  @param places of the sums that the merges leave, each [inputs x columns]
/// @throws Error (bug), before anything is written, when the merges leave another number of sums or are no tree's
void sum_gradients(GradientSums sums, std::span<float* const> places);

}  // namespace mnist_dist::nn
