// What a multilayer perceptron looks like, and where each of its parameters lies in the one flat vector.
// Local.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "mnist_dist/core/parameter_range.hpp"
#include "mnist_dist/nn/activation.hpp"

namespace mnist_dist::nn {

/// Fully connected layers with an activation function after each hidden one; the last layer gives the logits.
struct Architecture {
  std::size_t inputs = 0;
  std::vector<std::size_t> hidden;
  std::size_t outputs = 0;
  /// Of the leaky ReLU below 0; the other activations do not have it.
  float leaky_relu_slope = 0.1F;
  Activation activation = Activation::leaky_relu;

  /// Such as "784-100-100-100-10".
  [[nodiscard]] std::string description() const;
  /// Such as "leaky ReLU 0.1" or "gelu".
  [[nodiscard]] std::string activation_description() const;
  bool operator==(const Architecture&) const = default;
};

/// One fully connected layer: y = x W + b, with W [inputs x outputs] row-major and b [outputs]. In memory, the rows of
/// W, and b, are padded with zeros to `columns` floats, whole vectors of the processor; the padding stays zero, since
/// its gradient is. Files hold no padding.
struct Layer {
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  std::size_t columns = 0;
  ParameterRange weights;  ///< [inputs x columns]
  ParameterRange biases;   ///< [columns]
};

/// `size` rounded up to whole vectors: 16 floats, 512 bits.
constexpr std::size_t padded(std::size_t size) {
  return (size + 15) / 16 * 16;
}

/// The layers, first to last. Their parameters lie one after the other, with padding: W2, b2, W1, b1, W3, b3, ... The
/// first layer, usually the largest, lies in the middle, so that two ranks which share the vector have half of it each
/// and neither has all others.
[[nodiscard]] std::vector<Layer> layers_of(const Architecture& architecture);

/// The number of weights and biases together, without padding.
[[nodiscard]] std::size_t parameter_count(const Architecture& architecture);
/// The floats that they take in memory, with padding.
[[nodiscard]] std::size_t padded_size(const Architecture& architecture);

/// A value for every parameter, from memory to file (W1, b1, W2, b2, ...) and back. [parameter_count] without,
/// [padded_size] with padding. @param values their memory is used again
void without_padding(const Architecture& architecture, std::span<const float> padded_values,
                     std::vector<float>& values);
[[nodiscard]] std::vector<float> without_padding(const Architecture& architecture,
                                                 std::span<const float> padded_values);
[[nodiscard]] std::vector<float> with_padding(const Architecture& architecture, std::span<const float> values);

}  // namespace mnist_dist::nn
