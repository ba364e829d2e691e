// What a multilayer perceptron looks like, and where each of its parameters lies in the one flat vector.
// Local.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "mnist_dist/core/parameter_range.hpp"

namespace mnist_dist::nn {

/// Fully connected layers with a leaky ReLU after each hidden one; the last layer gives the logits.
struct Architecture {
  std::size_t inputs = 0;
  std::vector<std::size_t> hidden;
  std::size_t outputs = 0;
  /// Leaky ReLU: f(x) = x for x > 0, slope x otherwise (Maas, Hannun & Ng 2013).
  float leaky_relu_slope = 0.1F;

  /// Such as "784-100-100-100-10".
  [[nodiscard]] std::string description() const;
  bool operator==(const Architecture&) const = default;
};

/// One fully connected layer: y = x W + b, with W [inputs x outputs] row-major and b [outputs].
struct Layer {
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  ParameterRange weights;
  ParameterRange biases;
};

/// The layers, first to last; their parameters lie one after the other: W1, b1, W2, b2, ...
[[nodiscard]] std::vector<Layer> layers_of(const Architecture& architecture);

/// The number of weights and biases together.
[[nodiscard]] std::size_t parameter_count(const Architecture& architecture);

}  // namespace mnist_dist::nn
