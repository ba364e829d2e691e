#include "mnist_dist/nn/network.hpp"

#include <cmath>

#include "mnist_dist/blas/gemm.hpp"
#include "mnist_dist/core/hot_loop.hpp"
#include "mnist_dist/core/random.hpp"

namespace mnist_dist::nn {
namespace {

/// values += biases, row by row, then leaky ReLU in place.
MNIST_DIST_HOT_LOOP void add_biases_and_activate(const MatrixView<float>& values, const float* biases, float slope) {
  for (std::size_t row = 0; row < values.rows; ++row) {
    float* output = values.data + row * values.stride;
    for (std::size_t i = 0; i < values.columns; ++i) {
      const float x = output[i] + biases[i];
      output[i] = x > 0.0F ? x : slope * x;
    }
  }
}

/// The same with dropout: on entry output_scale holds the mask's scales (1 without dropout), on return the
/// derivative of the output with respect to the pre-activation, mask included.
MNIST_DIST_HOT_LOOP void add_biases_activate_and_drop(const MatrixView<float>& values, float* output_scale,
                                                      const float* biases, float slope) {
  for (std::size_t row = 0; row < values.rows; ++row) {
    float* output = values.data + row * values.stride;
    float* scale = output_scale + row * values.columns;
    for (std::size_t i = 0; i < values.columns; ++i) {
      const float x = output[i] + biases[i];
      scale[i] = x > 0.0F ? scale[i] : slope * scale[i];
      output[i] = x * scale[i];
    }
  }
}

MNIST_DIST_HOT_LOOP void add_biases(const MatrixView<float>& values, const float* biases) {
  for (std::size_t row = 0; row < values.rows; ++row) {
    float* output = values.data + row * values.stride;
    for (std::size_t i = 0; i < values.columns; ++i) output[i] += biases[i];
  }
}

MNIST_DIST_HOT_LOOP void multiply_elements(float* values, const float* factors, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) values[i] *= factors[i];
}

/// sums[i] = sum over the rows of values[row][i], first row first.
MNIST_DIST_HOT_LOOP void sum_rows(const MatrixView<const float>& values, float* sums) {
  for (std::size_t i = 0; i < values.columns; ++i) sums[i] = 0.0F;
  for (std::size_t row = 0; row < values.rows; ++row) {
    const float* value = values.data + row * values.stride;
    for (std::size_t i = 0; i < values.columns; ++i) sums[i] += value[i];
  }
}

}  // namespace

Activations::Activations(const Architecture& architecture, std::size_t max_rows)
    : max_rows_(max_rows), outputs_(architecture.outputs) {
  for (const Layer& layer : layers_of(architecture)) {
    const std::size_t size = max_rows * layer.outputs;
    layers_.push_back({std::vector<float>(size), std::vector<float>(size), std::vector<float>(size)});
  }
}

MatrixView<float> Activations::logits() {
  return {layers_.back().outputs.data(), rows_, outputs_};
}

Network::Network(const Architecture& architecture) : architecture_(architecture), layers_(layers_of(architecture)) {}

MatrixView<const float> Network::weights(std::span<const float> parameters, const Layer& layer) const {
  return {parameters.data() + layer.weights.begin, layer.inputs, layer.outputs};
}

void Network::initialize(std::span<float> parameters, std::uint64_t seed) const {
  for (std::size_t index = 0; index < layers_.size(); ++index) {
    const Layer& layer = layers_[index];
    RandomStream stream({.seed = seed, .purpose = Purpose::initial_weights, .epoch = 0, .id = index});
    const auto limit = static_cast<float>(std::sqrt(6.0 / static_cast<double>(layer.inputs)));
    for (float& weight : layer.weights.of(parameters)) weight = stream.uniform(-limit, limit);
    for (float& bias : layer.biases.of(parameters)) bias = 0.0F;
  }
}

MatrixView<const float> Network::predict(std::span<const float> parameters, const MatrixView<const float>& rows,
                                         Activations& activations) const {
  activations.rows_ = rows.rows;
  MatrixView<const float> inputs = rows;
  for (std::size_t index = 0; index < layers_.size(); ++index) {
    const Layer& layer = layers_[index];
    const MatrixView<float> outputs(activations.layers_[index].outputs.data(), rows.rows, layer.outputs);
    const float* biases = parameters.data() + layer.biases.begin;
    blas::multiply(inputs, weights(parameters, layer), outputs);
    if (index + 1 < layers_.size()) {
      add_biases_and_activate(outputs, biases, architecture_.leaky_relu_slope);
    } else {
      add_biases(outputs, biases);
    }
    inputs = outputs;
  }
  return inputs;
}

void Network::forward(std::span<const float> parameters, const MatrixView<const float>& rows,
                      std::span<const std::uint64_t> row_ids, const Dropout& dropout, Activations& activations) const {
  activations.rows_ = rows.rows;
  MatrixView<const float> inputs = rows;
  for (std::size_t index = 0; index < layers_.size(); ++index) {
    const Layer& layer = layers_[index];
    Activations::LayerBuffers& buffers = activations.layers_[index];
    const MatrixView<float> outputs(buffers.outputs.data(), rows.rows, layer.outputs);
    const float* biases = parameters.data() + layer.biases.begin;
    blas::multiply(inputs, weights(parameters, layer), outputs);
    if (index + 1 < layers_.size()) {
      const MatrixView<float> scales(buffers.output_scale.data(), rows.rows, layer.outputs);
      for (std::size_t row = 0; row < rows.rows; ++row) dropout.draw(row_ids[row], index, scales.row(row));
      add_biases_activate_and_drop(outputs, scales.data, biases, architecture_.leaky_relu_slope);
    } else {
      add_biases(outputs, biases);
    }
    inputs = outputs;
  }
}

void Network::backward(std::span<const float> parameters, const MatrixView<const float>& rows, Activations& activations,
                       std::span<float> gradient) const {
  MatrixView<float> output_gradient = activations.logits();
  for (std::size_t index = layers_.size(); index-- > 0;) {
    const Layer& layer = layers_[index];
    const MatrixView<const float> inputs =
        index == 0 ? rows
                   : MatrixView<const float>(activations.layers_[index - 1].outputs.data(), rows.rows, layer.inputs);
    blas::multiply_left_transposed(inputs, output_gradient,
                                   {gradient.data() + layer.weights.begin, layer.inputs, layer.outputs});
    sum_rows(output_gradient, gradient.data() + layer.biases.begin);
    if (index == 0) break;
    Activations::LayerBuffers& below = activations.layers_[index - 1];
    const MatrixView<float> input_gradient(below.gradient.data(), rows.rows, layer.inputs);
    blas::multiply_right_transposed(output_gradient, weights(parameters, layer), input_gradient);
    multiply_elements(input_gradient.data, below.output_scale.data(), rows.rows * layer.inputs);
    output_gradient = input_gradient;
  }
}

}  // namespace mnist_dist::nn
