#include "mnist_dist/nn/network.hpp"

#include <algorithm>
#include <cmath>

#include "kernels.hpp"
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

/// Whether a layer's weights stay in a core's second-level cache while rows go through them.
bool is_small(const Layer& layer) {
  return layer.inputs * layer.columns <= std::size_t{1} << 17;
}

/// outputs = inputs W, row by row or microbatch by microbatch.
void multiply_by_weights(const Layer& layer, const MatrixView<const float>& inputs,
                         const MatrixView<const float>& weights, std::span<const std::size_t> microbatch_rows,
                         const MatrixView<float>& outputs) {
  if (is_small(layer)) {
    multiply_rows(inputs, weights, outputs);
    return;
  }
  std::size_t first = 0;
  for (const std::size_t rows : microbatch_rows) {
    if (rows > 0) blas::multiply(inputs.rows_from(first, rows), weights, outputs.rows_from(first, rows));
    first += rows;
  }
}

/// transposed [outputs x padded inputs] = W^T; its padding stays as it is.
MNIST_DIST_HOT_LOOP void transpose(const MatrixView<const float>& weights, std::size_t outputs, float* transposed,
                                   std::size_t stride) {
  constexpr std::size_t kBlock = 16;
  for (std::size_t first = 0; first < weights.rows; first += kBlock) {
    const std::size_t end = std::min(first + kBlock, weights.rows);
    for (std::size_t output = 0; output < outputs; ++output) {
      for (std::size_t input = first; input < end; ++input) {
        transposed[output * stride + input] = weights.data[input * weights.stride + output];
      }
    }
  }
}

/// inputs_gradient = outputs_gradient W^T, row by row or microbatch by microbatch.
void multiply_by_transposed_weights(const Layer& layer, const MatrixView<const float>& outputs_gradient,
                                    const MatrixView<const float>& weights,
                                    std::span<const std::size_t> microbatch_rows, std::vector<float>& transposed,
                                    const MatrixView<float>& inputs_gradient) {
  if (is_small(layer)) {
    const std::size_t stride = inputs_gradient.stride;
    transpose(weights, layer.outputs, transposed.data(), stride);
    MatrixView<const float> without_padding = outputs_gradient;
    without_padding.columns = layer.outputs;
    multiply_rows(without_padding, {transposed.data(), layer.outputs, stride}, inputs_gradient);
    return;
  }
  std::size_t first = 0;
  for (const std::size_t rows : microbatch_rows) {
    MatrixView<float> result = inputs_gradient.rows_from(first, rows);
    result.columns = layer.inputs;
    if (rows > 0) blas::multiply_right_transposed(outputs_gradient.rows_from(first, rows), weights, result);
    first += rows;
  }
}

}  // namespace

Activations::Activations(const Architecture& architecture, std::size_t max_rows)
    : max_rows_(max_rows), outputs_(architecture.outputs), ones_(max_rows, 1.0F) {
  for (const Layer& layer : layers_of(architecture)) {
    const std::size_t size = max_rows * layer.columns;
    layers_.push_back({std::vector<float>(size), std::vector<float>(size), std::vector<float>(size),
                       std::vector<float>(is_small(layer) ? layer.outputs * padded(layer.inputs) : 0)});
  }
}

MatrixView<float> Activations::logits() {
  return {layers_.back().outputs.data(), rows_, outputs_, padded(outputs_)};
}

Network::Network(const Architecture& architecture) : architecture_(architecture), layers_(layers_of(architecture)) {}

MatrixView<const float> Network::weights(std::span<const float> parameters, const Layer& layer) const {
  return {parameters.data() + layer.weights.begin, layer.inputs, layer.columns};
}

void Network::initialize(std::span<float> parameters, std::uint64_t seed) const {
  std::ranges::fill(parameters, 0.0F);
  for (std::size_t index = 0; index < layers_.size(); ++index) {
    const Layer& layer = layers_[index];
    RandomStream stream({.seed = seed, .purpose = Purpose::initial_weights, .epoch = 0, .id = index});
    const auto limit = static_cast<float>(std::sqrt(6.0 / static_cast<double>(layer.inputs)));
    for (std::size_t input = 0; input < layer.inputs; ++input) {
      for (float& weight : parameters.subspan(layer.weights.begin + input * layer.columns, layer.outputs)) {
        weight = stream.uniform(-limit, limit);
      }
    }
  }
}

MatrixView<const float> Network::predict(std::span<const float> parameters, const MatrixView<const float>& rows,
                                         Activations& activations) const {
  activations.rows_ = rows.rows;
  MatrixView<const float> inputs = rows;
  for (std::size_t index = 0; index < layers_.size(); ++index) {
    const Layer& layer = layers_[index];
    const MatrixView<float> outputs(activations.layers_[index].outputs.data(), rows.rows, layer.columns);
    const float* biases = parameters.data() + layer.biases.begin;
    multiply_by_weights(layer, inputs, weights(parameters, layer), std::span(&rows.rows, 1), outputs);
    if (index + 1 < layers_.size()) {
      add_biases_and_activate(outputs, biases, architecture_.leaky_relu_slope);
    } else {
      add_biases(outputs, biases);
    }
    inputs = {outputs.data, outputs.rows, layer.outputs, layer.columns};
  }
  return inputs;
}

void Network::forward(std::span<const float> parameters, const MatrixView<const float>& rows,
                      std::span<const std::uint64_t> row_ids, const Microbatches& microbatches, const Dropout& dropout,
                      Activations& activations) const {
  activations.rows_ = rows.rows;
  MatrixView<const float> inputs = rows;
  for (std::size_t index = 0; index < layers_.size(); ++index) {
    const Layer& layer = layers_[index];
    Activations::LayerBuffers& buffers = activations.layers_[index];
    const MatrixView<float> outputs(buffers.outputs.data(), rows.rows, layer.columns);
    const float* biases = parameters.data() + layer.biases.begin;
    multiply_by_weights(layer, inputs, weights(parameters, layer), microbatches.rows, outputs);
    if (index + 1 < layers_.size()) {
      for (std::size_t row = 0; row < rows.rows; ++row) {
        const std::span<float> scales(buffers.output_scale.data() + row * layer.columns, layer.outputs);
        dropout.draw(row_ids[row], index, scales);
      }
      add_biases_activate_and_drop(outputs, buffers.output_scale.data(), biases, architecture_.leaky_relu_slope);
    } else {
      add_biases(outputs, biases);
    }
    inputs = {outputs.data, outputs.rows, layer.outputs, layer.columns};
  }
}

void Network::backward(std::span<const float> parameters, const MatrixView<const float>& rows,
                       const Microbatches& microbatches, Activations& activations,
                       std::span<float* const> gradients) const {
  std::vector<float*> parts(gradients.size());
  const auto part_of_gradients = [&](const ParameterRange& range) -> std::span<float* const> {
    for (std::size_t i = 0; i < gradients.size(); ++i) parts[i] = gradients[i] + range.begin;
    return parts;
  };
  const MatrixView<const float> ones(activations.ones_.data(), rows.rows, 1);
  MatrixView<float> output_gradient(activations.layers_.back().outputs.data(), rows.rows, layers_.back().columns);
  for (std::size_t index = layers_.size(); index-- > 0;) {
    const Layer& layer = layers_[index];
    MatrixView<const float> inputs = rows;
    if (index > 0) {
      const Layer& below = layers_[index - 1];
      inputs = {activations.layers_[index - 1].outputs.data(), rows.rows, below.outputs, below.columns};
    }
    multiply_microbatches(inputs, output_gradient, microbatches, part_of_gradients(layer.weights));
    multiply_microbatches(ones, output_gradient, microbatches, part_of_gradients(layer.biases));
    if (index == 0) break;
    Activations::LayerBuffers& below = activations.layers_[index - 1];
    const MatrixView<float> input_gradient(below.gradient.data(), rows.rows, layers_[index - 1].columns);
    multiply_by_transposed_weights(layer, output_gradient, weights(parameters, layer), microbatches.rows,
                                   activations.layers_[index].transposed, input_gradient);
    multiply_elements(input_gradient.data, below.output_scale.data(), rows.rows * input_gradient.columns);
    output_gradient = input_gradient;
  }
}

}  // namespace mnist_dist::nn
