// The products of a pass through one layer: by our own kernels where the weights fit a core's cache, by BLAS where they do
// not.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "mnist_dist/core/matrix_view.hpp"
#include "mnist_dist/nn/architecture.hpp"

namespace mnist_dist::nn {

/// Whether a layer's weights stay in a core's second-level cache while rows go through them.
[[nodiscard]] bool is_small(const Layer& layer);

/// outputs = inputs W, row by row or microbatch by microbatch.
void multiply_by_weights(const Layer& layer, const MatrixView<const float>& inputs,
                         const MatrixView<const float>& weights, std::span<const std::size_t> microbatch_rows,
                         const MatrixView<float>& outputs);

/// input_gradients = deltas W^T, row by row or microbatch by microbatch. @param transposed room for the weights of a
/// small layer, [outputs x padded(inputs)], its padding zero
void multiply_by_transposed_weights(const Layer& layer, const MatrixView<const float>& deltas,
                                    const MatrixView<const float>& weights,
                                    std::span<const std::size_t> microbatch_rows, std::vector<float>& transposed,
                                    const MatrixView<float>& input_gradients);

}  // namespace mnist_dist::nn
