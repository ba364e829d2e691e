// A layer's products by OpenBLAS, which chooses its kernels by the shape of a product. So each microbatch is a product
// of its own, always of the same shape, whichever rank computes it and whatever else that rank has to do.
#pragma once

#include <cstddef>
#include <span>

#include "kernels/gradient_sums.hpp"
#include "mnist_dist/core/matrix_view.hpp"

namespace mnist_dist::nn {

/// outputs = inputs weights.  inputs [rows x inputs], weights [inputs x columns], outputs [rows x columns]
/// @param microbatch_rows how many of the rows are in each microbatch
void multiply_by_blas(const MatrixView<const float>& inputs, const MatrixView<const float>& weights,
                      std::span<const std::size_t> microbatch_rows, const MatrixView<float>& outputs);

/// deltas_below = deltas weights^T.  deltas [rows x columns], weights [inputs x columns], deltas_below [rows x inputs]
void multiply_transposed_by_blas(const MatrixView<const float>& deltas, const MatrixView<const float>& weights,
                                 std::span<const std::size_t> microbatch_rows, const MatrixView<float>& deltas_below);

/// The same sums as those of the kernels (kernels/gradient_sums.hpp): each leaf by OpenBLAS, then along the tree.
void sum_gradient_by_blas(const DenseGradient& gradient, const TreeOfLeaves& tree);
void sum_gradient_by_blas(const PixelGradient& gradient, const TreeOfLeaves& tree);

/// inputs [rows x 4 groups] = the pixels of the rows [first_row, first_row + rows) in the groups from first_group on,
/// less their means. @param negative_mean [inputs], from the first group's first input on
void write_centred_pixels(const PixelLists& lists, std::size_t first_row, std::size_t first_group,
                          const float* negative_mean, const MatrixView<float>& inputs);

}  // namespace mnist_dist::nn
