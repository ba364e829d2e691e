// The matrix products of a network, for this processor's vectors.
//
// BLAS chooses its kernels by the shape of a product, so a row's bits depend on how many rows stand beside it. Here each
// element of a product is one chain of multiply-adds over the inner index, in ascending order, whatever the shape. So a
// rank can take the rows of all its shards through a layer at once, and the gradient of each shard can be added along the
// tree while it is still in registers. All matrices are row-major; columns are padded to a multiple of 16 with
// zeros, and rows begin at a multiple of 16 floats.
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

/// Which groups of inputs are not zero in each four rows.
struct ActiveGroups {
  std::vector<unsigned> groups;  ///< [rows / 4, rounded up, x groups of the inputs], the first counts[i] of each count
  std::vector<unsigned> counts;  ///< [rows / 4, rounded up]
};

/// Finds the inputs that are not zero. @param activity written, and @param active
void find_active(const MatrixView<const float>& inputs, const InputActivity& activity, ActiveGroups& active);

/// c = a b with the bits of multiply_rows(), leaving out where a is zero in four rows together.
void multiply_sparse_rows(const MatrixView<const float>& a, const ActiveGroups& active,
                          const MatrixView<const float>& b, const MatrixView<float>& c);

/// The sums of inputs^T deltas over the rows of each microbatch, added along the tree (kernel_table.hpp).
void sum_gradients(const GradientSums& sums);

}  // namespace mnist_dist::nn
