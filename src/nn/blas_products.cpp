#include "blas_products.hpp"

#include <algorithm>
#include <cstring>

#include "mnist_dist/blas/gemm.hpp"
#include "mnist_dist/core/aligned_vector.hpp"
#include "mnist_dist/nn/architecture.hpp"

namespace mnist_dist::nn {
namespace {

constexpr std::size_t kGroup = PixelLists::kInputsOfGroup;

/// sum += later
void add_to(const MatrixView<float>& sum, const float* later) {
  for (std::size_t row = 0; row < sum.rows; ++row) {
    float* const values = sum.row(row).data();
    for (std::size_t i = 0; i < sum.columns; ++i) values[i] += later[row * sum.columns + i];
  }
}

/// sum = the leaves, added along the tree. @param form(leaf, where) computes a leaf
template <class Form>
void sum_along_tree(const TreeOfLeaves& tree, const MatrixView<float>& sum, const Form& form) {
  // Sums that wait for their brother lie one behind the other; the first of them is the result.
  thread_local AlignedVector<float> memory;
  const std::size_t size = sum.rows * sum.columns;
  memory.resize(std::max(memory.size(), TreeOfLeaves::kMaxWaiting * size));
  const auto waiting_sum = [&](std::size_t index) {
    return index == 0 ? sum : MatrixView<float>(memory.data() + index * size, sum.rows, sum.columns);
  };
  std::size_t waiting = 0;
  for (std::size_t leaf = 0; leaf < tree.count; ++leaf) {
    form(leaf, waiting_sum(waiting++));
    for (std::uint8_t merge = 0; merge < tree.merges[leaf]; ++merge) {
      --waiting;
      add_to(waiting_sum(waiting - 1), waiting_sum(waiting).data);
    }
  }
}

void multiply_leaf(const MatrixView<const float>& inputs, const MatrixView<const float>& deltas,
                   const MatrixView<float>& gradient) {
  if (inputs.rows > 0) {
    blas::multiply_left_transposed(inputs, deltas, gradient);
    return;
  }
  for (std::size_t row = 0; row < gradient.rows; ++row) std::ranges::fill(gradient.row(row), 0.0F);
}

}  // namespace

void multiply_by_blas(const MatrixView<const float>& inputs, const MatrixView<const float>& weights,
                      std::span<const std::size_t> microbatch_rows, const MatrixView<float>& outputs) {
  std::size_t first = 0;
  for (const std::size_t rows : microbatch_rows) {
    if (rows > 0) blas::multiply(inputs.rows_from(first, rows), weights, outputs.rows_from(first, rows));
    first += rows;
  }
}

void multiply_transposed_by_blas(const MatrixView<const float>& deltas, const MatrixView<const float>& weights,
                                 std::span<const std::size_t> microbatch_rows, const MatrixView<float>& deltas_below) {
  MatrixView<float> below = deltas_below;
  below.columns = weights.rows;  // without the padding, which stays zero
  std::size_t first = 0;
  for (const std::size_t rows : microbatch_rows) {
    if (rows > 0) {
      blas::multiply_right_transposed(deltas.rows_from(first, rows), weights, below.rows_from(first, rows));
    }
    first += rows;
  }
}

void write_centred_pixels(const PixelLists& lists, std::size_t first_row, std::size_t first_group,
                          const float* negative_mean, const MatrixView<float>& inputs) {
  for (std::size_t row = 0; row < inputs.rows; ++row) {
    std::copy_n(negative_mean, inputs.columns, inputs.row(row).data());
  }
  for (std::size_t column = 0; column < inputs.columns; column += kGroup) {
    const std::size_t group = first_group + column / kGroup;
    const std::uint32_t* const end = lists.rows + lists.begins[group + 1];
    const std::uint32_t* row = std::lower_bound<const std::uint32_t*>(lists.rows + lists.begins[group], end, first_row);
    for (; row != end && *row < first_row + inputs.rows; ++row) {
      std::uint8_t pixels[kGroup];
      std::memcpy(pixels, lists.pixels + (row - lists.rows), kGroup);
      float* const values = inputs.row(*row - first_row).data() + column;
      for (std::size_t i = 0; i < kGroup; ++i) values[i] += static_cast<float>(pixels[i]);
    }
  }
}

void sum_gradient_by_blas(const DenseGradient& p, const TreeOfLeaves& tree) {
  sum_along_tree(tree, {p.sum, p.inputs, p.columns, p.sum_stride}, [&](std::size_t index, const auto& gradient) {
    const DenseLeaf& leaf = p.leaves[index];
    multiply_leaf({leaf.inputs, leaf.rows, p.inputs, leaf.inputs_stride},
                  {leaf.deltas, leaf.rows, p.columns, p.deltas_stride}, gradient);
  });
}

void sum_gradient_by_blas(const PixelGradient& p, const TreeOfLeaves& tree) {
  thread_local AlignedVector<float> memory;
  const std::size_t stride = PixelLists::groups_of(p.inputs) * kGroup;
  sum_along_tree(tree, {p.sum, p.inputs, p.columns}, [&](std::size_t index, const auto& gradient) {
    const PixelLeaf& leaf = p.leaves[index];
    const std::size_t rows = leaf.end_row - leaf.first_row;
    memory.resize(std::max(memory.size(), rows * stride));
    const MatrixView<float> inputs(memory.data(), rows, stride);
    write_centred_pixels(*leaf.lists, leaf.first_row, p.first_group, p.negative_mean + p.first_group * kGroup, inputs);
    multiply_leaf({inputs.data, rows, p.inputs, stride},
                  {leaf.deltas + leaf.first_row * p.deltas_stride, rows, p.columns, p.deltas_stride}, gradient);
  });
}

}  // namespace mnist_dist::nn
