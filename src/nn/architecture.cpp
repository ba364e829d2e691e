#include "mnist_dist/nn/architecture.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace mnist_dist::nn {

std::string Architecture::description() const {
  return hidden.empty() ? fmt::format("{}-{}", inputs, outputs)
                        : fmt::format("{}-{}-{}", inputs, fmt::join(hidden, "-"), outputs);
}

std::string Architecture::activation_description() const {
  return activation == Activation::leaky_relu ? fmt::format("leaky ReLU {}", leaky_relu_slope)
                                              : name_of(kActivations, activation);
}

std::vector<Layer> layers_of(const Architecture& architecture) {
  std::vector<std::size_t> sizes = {architecture.inputs};
  sizes.insert(sizes.end(), architecture.hidden.begin(), architecture.hidden.end());
  sizes.push_back(architecture.outputs);
  std::vector<Layer> layers(sizes.size() - 1);
  std::size_t next = 0;
  for (std::size_t place = 0; place < layers.size(); ++place) {
    const std::size_t i = layers.size() > 1 && place < 2 ? 1 - place : place;
    const std::size_t columns = padded(sizes[i + 1]);
    const std::size_t weights_end = next + sizes[i] * columns;
    const std::size_t biases_end = weights_end + columns;
    layers[i] = {sizes[i], sizes[i + 1], columns, {next, weights_end}, {weights_end, biases_end}};
    next = biases_end;
  }
  return layers;
}

std::size_t padded_size(const Architecture& architecture) {
  std::size_t size = 0;
  for (const Layer& layer : layers_of(architecture)) size += layer.weights.size() + layer.biases.size();
  return size;
}

std::size_t parameter_count(const Architecture& architecture) {
  std::size_t count = 0;
  for (const Layer& layer : layers_of(architecture)) count += (layer.inputs + 1) * layer.outputs;
  return count;
}

void without_padding(const Architecture& architecture, std::span<const float> padded_values,
                     std::vector<float>& values) {
  values.clear();
  values.reserve(parameter_count(architecture));
  for (const Layer& layer : layers_of(architecture)) {
    // The biases follow the weights like one more row.
    for (std::size_t row = 0; row <= layer.inputs; ++row) {
      const auto first = padded_values.begin() + static_cast<std::ptrdiff_t>(layer.weights.begin + row * layer.columns);
      values.insert(values.end(), first, first + static_cast<std::ptrdiff_t>(layer.outputs));
    }
  }
}

std::vector<float> without_padding(const Architecture& architecture, std::span<const float> padded_values) {
  std::vector<float> values;
  without_padding(architecture, padded_values, values);
  return values;
}

std::vector<float> with_padding(const Architecture& architecture, std::span<const float> values) {
  std::vector<float> padded_values(padded_size(architecture));
  auto next = values.begin();
  for (const Layer& layer : layers_of(architecture)) {
    for (std::size_t row = 0; row <= layer.inputs; ++row) {
      const auto end = next + static_cast<std::ptrdiff_t>(layer.outputs);
      std::copy(next, end,
                padded_values.begin() + static_cast<std::ptrdiff_t>(layer.weights.begin + row * layer.columns));
      next = end;
    }
  }
  return padded_values;
}

}  // namespace mnist_dist::nn
