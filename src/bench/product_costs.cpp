#include "product_costs.hpp"

#include "mnist_dist/blas/gemm.hpp"
#include "mnist_dist/core/aligned_vector.hpp"
#include "mnist_dist/core/matrix_view.hpp"
#include "rank_clocks.hpp"

namespace mnist_dist::bench {
namespace {

constexpr double kSeconds = 0.05;       // for each product
constexpr std::size_t kLargest = 1024;  // rows and columns of the matrices of the large product

/// A matrix with memory of its own, padded as those of a step are, and without zeros.
class Matrix {
 public:
  Matrix(std::size_t rows, std::size_t columns)
      : values_(rows * nn::padded(columns)), view_(values_.data(), rows, columns, nn::padded(columns)) {
    for (std::size_t i = 0; i < values_.size(); ++i) values_[i] = 0.5F + static_cast<float>(i % 127) / 127.0F;
  }
  Matrix(const Matrix&) = delete;
  Matrix& operator=(const Matrix&) = delete;
  ~Matrix() = default;
  [[nodiscard]] const MatrixView<float>& view() const { return view_; }

 private:
  AlignedVector<float> values_;
  MatrixView<float> view_;
};

/// Collective. The operands lie as they do in a step.
double time_product(const comm::Communicator& ranks, const Product& product) {
  const Matrix result(product.rows, product.columns);
  const bool left = product.kind == ProductKind::weight_gradient;
  const bool right = product.kind == ProductKind::input_gradient;
  const Matrix a(left ? product.inner : product.rows, left ? product.rows : product.inner);
  const Matrix b(right ? product.columns : product.inner, right ? product.inner : product.columns);
  return time_until_all_done(ranks, kSeconds, Part::fastest, [&] {
    if (left) {
      blas::multiply_left_transposed(a.view(), b.view(), result.view());
    } else if (right) {
      blas::multiply_right_transposed(a.view(), b.view(), result.view());
    } else {
      blas::multiply(a.view(), b.view(), result.view());
    }
  });
}

}  // namespace

std::vector<Product> products_of_step(const nn::Architecture& architecture, std::size_t rows) {
  std::vector<Product> products;
  const std::vector<nn::Layer> layers = nn::layers_of(architecture);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::size_t inputs = layers[i].inputs;
    const std::size_t outputs = layers[i].outputs;
    products.push_back({ProductKind::forward, i, rows, inputs, outputs});
    if (i > 0) products.push_back({ProductKind::input_gradient, i, rows, outputs, inputs});
    products.push_back({ProductKind::weight_gradient, i, inputs, rows, outputs});
  }
  return products;
}

double flop_of(std::span<const Product> products) {
  double flop = 0;
  for (const Product& product : products) flop += product.flop();
  return flop;
}

ProductCosts time_products(const comm::Communicator& ranks, const nn::Architecture& architecture, std::size_t rows) {
  ProductCosts costs;
  costs.rows = rows;
  for (const Product& product : products_of_step(architecture, rows)) {
    costs.products.push_back({product, time_product(ranks, product)});
    costs.flop += product.flop();
    costs.seconds += costs.products.back().seconds;
  }
  const Product largest{ProductKind::forward, 0, kLargest, kLargest, kLargest};
  costs.largest = {largest, time_product(ranks, largest)};
  return costs;
}

}  // namespace mnist_dist::bench
