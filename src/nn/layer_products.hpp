// The products of passes through large layers, by BLAS: microbatch by microbatch, so that a row's bits do not depend on
// other microbatches.
#pragma once

#include <cstddef>
#include <span>

#include "mnist_dist/core/matrix_view.hpp"
#include "mnist_dist/nn/architecture.hpp"

namespace mnist_dist::nn {

/// Whether a layer's weights stay in a core's second-level cache while rows go through them: then our own kernels are as
/// fast as BLAS, and take the rows of all microbatches at once.
[[nodiscard]] bool is_small(const Layer& layer);

/// outputs = inputs weights
void multiply_microbatches(const MatrixView<const float>& inputs, const MatrixView<const float>& weights,
                           std::span<const std::size_t> microbatch_rows, const MatrixView<float>& outputs);

/// input_gradients = deltas weights^T; the padding of its rows stays as it is
void multiply_microbatches_by_transposed(const MatrixView<const float>& deltas, const MatrixView<const float>& weights,
                                         std::span<const std::size_t> microbatch_rows,
                                         const MatrixView<float>& input_gradients);

}  // namespace mnist_dist::nn
