// The matrix products of small networks, for this processor's vectors.
//
// BLAS chooses its kernels by the shape of a product, so a row's bits depend on how many rows stand beside it. Here each
// element of a product is one chain of multiply-adds over the inner index, in ascending order, whatever the shape. So a
// rank can take the rows of all its shards through a layer at once, and the gradient of each shard can be added along the
// tree while it is still in registers. All matrices are row-major; columns are padded to a multiple of 16 with
// zeros, and rows begin at a multiple of 16 floats.
#pragma once

#include <cstddef>
#include <span>

#include "mnist_dist/core/matrix_view.hpp"
#include "mnist_dist/nn/microbatches.hpp"

namespace mnist_dist::nn {

/// c = a b.  a [m x k], b [k x n], c [m x n]; n a multiple of 16
void multiply_rows(const MatrixView<const float>& a, const MatrixView<const float>& b, const MatrixView<float>& c);

/// The sums of a^T b over the rows of each microbatch.  a [rows x m], b [rows x n]; n a multiple of 16
/// @param results one [m x n] matrix per result, each with the row stride n
void multiply_microbatches(const MatrixView<const float>& a, const MatrixView<const float>& b,
                           const Microbatches& microbatches, std::span<float* const> results);

}  // namespace mnist_dist::nn
