#include "layer_products.hpp"

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

void multiply_microbatches(const MatrixView<const float>& inputs, const MatrixView<const float>& weights,
                           std::span<const std::size_t> microbatch_rows, const MatrixView<float>& outputs) {
  for_each_microbatch(microbatch_rows, [&](std::size_t first, std::size_t rows) {
    blas::multiply(inputs.rows_from(first, rows), weights, outputs.rows_from(first, rows));
  });
}

void multiply_microbatches_by_transposed(const MatrixView<const float>& deltas, const MatrixView<const float>& weights,
                                         std::span<const std::size_t> microbatch_rows,
                                         const MatrixView<float>& input_gradients) {
  for_each_microbatch(microbatch_rows, [&](std::size_t first, std::size_t rows) {
    MatrixView<float> result = input_gradients.rows_from(first, rows);
    result.columns = weights.rows;
    blas::multiply_right_transposed(deltas.rows_from(first, rows), weights, result);
  });
}

}  // namespace mnist_dist::nn
