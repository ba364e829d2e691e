// Prints the bits of what our kernels compute, one line a case: its name and a hash. It is built for this machine and
// for ARM, and tests/arm/compare wants the same lines from both.
#include <algorithm>
#include <cstdio>

#include "bits.hpp"
#include "nn/kernels/products.hpp"

namespace {

/// nn::arithmetic() knows, too, but asks OpenBLAS, which is not there on ARM.
bool fuses() {
  const float left[] = {-(1 + 0x1p-11F), 1 + 0x1p-12F};
  Floats right(32, 1 + 0x1p-12F);
  std::fill_n(right.begin(), 16, 1.0F);
  Floats product(16);
  mnist_dist::nn::multiply_rows({left, 1, 2}, {right.data(), 2, 16}, {product.data(), 1, 16});
  return product[0] != 0;  // 2^-24, which rounding the second product would lose
}

}  // namespace

int main() {
  std::puts(fuses() ? "fused multiply-add" : "multiply, then add");
  print_products();
  print_first_layer();
  print_elementwise();
  print_trainings();
}
