#include "layer_products.hpp"

#include "kernels.hpp"
#include "mnist_dist/blas/gemm.hpp"

namespace mnist_dist::nn {
namespace {

/// Calls multiply(first row, rows) for each microbatch that has rows.
template <class Multiply>
void for_each_microbatch(std::span<const std::size_t> microbatch_rows, const Multiply& multiply) {
  std::size_t first = 0;
  for (const std::size_t rows : microbatch_rows) {
    if (rows > 0) multiply(first, rows);
    first += rows;
  }
}

}  // namespace

bool is_small(const Layer& layer) {
  return layer.inputs * layer.columns <= std::size_t{1} << 17;
}

void multiply_by_weights(const Layer& layer, const MatrixView<const float>& inputs,
                         const MatrixView<const float>& weights, std::span<const std::size_t> microbatch_rows,
                         const MatrixView<float>& outputs) {
  if (is_small(layer)) {
    multiply_rows(inputs, weights, outputs);
    return;
  }
  for_each_microbatch(microbatch_rows, [&](std::size_t first, std::size_t rows) {
    blas::multiply(inputs.rows_from(first, rows), weights, outputs.rows_from(first, rows));
  });
}

void multiply_by_transposed_weights(const Layer& layer, const MatrixView<const float>& deltas,
                                    const MatrixView<const float>& weights,
                                    std::span<const std::size_t> microbatch_rows, std::vector<float>& transposed,
                                    const MatrixView<float>& input_gradients) {
  if (is_small(layer)) {
    const std::size_t stride = padded(layer.inputs);
    MatrixView<const float> weights_without_padding = weights;
    weights_without_padding.columns = layer.outputs;
    transpose(weights_without_padding, {transposed.data(), layer.outputs, layer.inputs, stride});
    MatrixView<const float> without_padding = deltas;
    without_padding.columns = layer.outputs;
    multiply_rows(without_padding, {transposed.data(), layer.outputs, stride}, input_gradients);
    return;
  }
  for_each_microbatch(microbatch_rows, [&](std::size_t first, std::size_t rows) {
    MatrixView<float> result = input_gradients.rows_from(first, rows);
    result.columns = layer.inputs;
    blas::multiply_right_transposed(deltas.rows_from(first, rows), weights, result);
  });
}

}  // namespace mnist_dist::nn
