// The matrix products of a network's layers after the first.
//
// BLAS chooses its kernels by the shape of a product, so a row's bits depend on how many rows stand beside it. Here
// each element of a product is one chain of multiply-adds over the inner index, in ascending order, whatever the shape.
// So a rank can take the rows of all its shards through a layer at once. All matrices are row-major; columns are padded
// to a multiple of 16 with zeros, and rows begin at a multiple of 16 floats.
#pragma once

#include "mnist_dist/core/matrix_view.hpp"

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

}  // namespace mnist_dist::nn
