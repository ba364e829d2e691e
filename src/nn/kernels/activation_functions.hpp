// The hidden layers' activation functions (nn/activation.hpp) over whole matrices. Local.
//
// They use additions, multiplications, divisions and comparisons alone, in one order, without fused multiply-add and
// without the C library's functions: a value has the same bits on every processor and in every place of a row.
#pragma once

#include "mnist_dist/core/matrix_view.hpp"
#include "mnist_dist/nn/architecture.hpp"

namespace mnist_dist::nn {

/// Prediction: values = f(values + biases), row by row, in place. The padding, zero on entry, stays zero.
/// @param architecture names f  @param units columns that are not padding  @param values [rows x columns]
/// @param biases [columns], zero in the padding
void add_biases_and_activate(const Architecture& architecture, std::size_t units, const MatrixView<float>& values,
                             const float* biases);

/// Training, the same with dropout: values = f(values + biases) mask.
/// @param output_scale [rows x columns], without gaps; on entry the mask: 0 for a dropped unit, 1 / (1 - rate) for a
/// kept one (1 without dropout), 0 in the padding; on return the derivative of the output with respect to the
/// pre-activation, mask included. The padding of both stays zero.
void add_biases_activate_and_drop(const Architecture& architecture, const MatrixView<float>& values,
                                  float* output_scale, const float* biases);

}  // namespace mnist_dist::nn
