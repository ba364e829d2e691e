// The products of hidden layers, and the gradients of their weights.
#include "nn/kernels/products.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "bits.hpp"
#include "nn/kernels/gradient_sums.hpp"

using namespace mnist_dist;

namespace {

struct Shape {
  std::size_t rows, inner, columns;
};
// More rows than a tile has, more inner steps than are packed at once, more columns than are packed at once; and a few.
constexpr Shape kShapes[] = {{1, 1, 16}, {3, 10, 48}, {13, 100, 112}, {25, 513, 560}, {141, 1102, 176}};

void print_product(const Shape& shape) {
  const auto [rows, inner, columns] = shape;
  const std::size_t stride = columns + 16;
  const Floats a = random_floats(rows * inner, 1);
  const Floats b = random_floats(inner * columns, 2);
  Floats transposed(columns * inner);
  Floats products[3];
  for (Floats& product : products) product.assign(rows * stride, -1.0F);
  const MatrixView<const float> left(a.data(), rows, inner);
  const MatrixView<const float> right(b.data(), inner, columns);
  nn::transpose(right, {transposed.data(), columns, inner});
  nn::multiply_rows(left, right, {products[0].data(), rows, columns, stride});
  nn::multiply_rows_by_large(left, right, {products[1].data(), rows, columns, stride});
  nn::multiply_rows_by_large_transposed(left, {transposed.data(), columns - 7, inner},
                                        {products[2].data(), rows, columns, stride});
  const std::string name = fmt::format("[{} x {}] [{} x {}]", rows, inner, inner, columns);
  Bits().add(transposed).print("transposed " + name);
  Bits().add(products[0]).print("product " + name);
  Bits().add(products[1]).print("large product " + name);
  Bits().add(products[2]).print("large transposed product " + name);
}

void print_gradient(const Shape& shape, const std::vector<std::uint8_t>& merges) {
  const auto [rows, inputs, columns] = shape;
  const Floats x = random_floats(rows * inputs, 3);
  const Floats deltas = random_floats(rows * columns, 4);
  std::vector<nn::DenseLeaf> leaves;
  std::vector<const float*> some_rows;
  std::size_t first = 0;
  for (const std::size_t end : microbatch_ends(rows, merges.size())) {
    leaves.push_back({x.data() + first * inputs, deltas.data() + first * columns, end - first, inputs});
    some_rows.push_back(deltas.data() + std::min(first, rows - 1) * columns);
    first = end;
  }
  Floats sum(inputs * columns, -1.0F);
  nn::sum_gradient(nn::DenseGradient{leaves, columns, inputs, columns, sum.data(), columns}, nn::TreeOfLeaves(merges));
  Floats row(columns);
  nn::sum_rows_along_tree(some_rows, nn::TreeOfLeaves(merges), columns, row.data());
  const std::string name = fmt::format("[{} x {}]^T [{} x {}], {} leaves", rows, inputs, rows, columns, merges.size());
  Bits().add(sum).print("gradient " + name);
  Bits().add(row).print("sum of rows " + name);
}

}  // namespace

void print_products() {
  for (const Shape& shape : kShapes) {
    print_product(shape);
    for (const std::vector<std::uint8_t>& merges : kTrees) print_gradient(shape, merges);
  }
}
