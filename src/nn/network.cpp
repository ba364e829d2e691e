#include "mnist_dist/nn/network.hpp"

#include <algorithm>
#include <cmath>

#include "blas_products.hpp"
#include "kernels/activation_functions.hpp"
#include "kernels/pixel_product.hpp"
#include "kernels/products.hpp"
#include "mnist_dist/core/hot_loop.hpp"
#include "mnist_dist/core/random.hpp"
#include "workspace.hpp"

namespace mnist_dist::nn {
namespace {

/// values += biases, row by row.
MNIST_DIST_HOT_LOOP void add_biases(const MatrixView<float>& values, const float* biases) {
  for (std::size_t row = 0; row < values.rows; ++row) {
    float* output = values.data + row * values.stride;
    for (std::size_t i = 0; i < values.columns; ++i) output[i] += biases[i];
  }
}

/// gradients *= output_scale: from d loss / d output to d loss / d pre-activation.
MNIST_DIST_HOT_LOOP void multiply_by_scale(const MatrixView<float>& gradients, const float* output_scale) {
  for (std::size_t row = 0; row < gradients.rows; ++row) {
    float* gradient = gradients.data + row * gradients.stride;
    const float* scale = output_scale + row * gradients.columns;
    for (std::size_t i = 0; i < gradients.columns; ++i) gradient[i] *= scale[i];
  }
}

/// sums = the sum of the rows, in their order.
MNIST_DIST_HOT_LOOP void sum_rows(const MatrixView<const float>& rows, float* sums) {
  for (std::size_t i = 0; i < rows.columns; ++i) sums[i] = 0.0F;
  for (std::size_t row = 0; row < rows.rows; ++row) {
    const float* values = rows.data + row * rows.stride;
    for (std::size_t i = 0; i < rows.columns; ++i) sums[i] += values[i];
  }
}

/// Initial weights are uniform between minus and plus this.
float initial_limit(Activation activation, const Layer& layer) {
  const bool saturates = activation == Activation::tanh || activation == Activation::sigmoid;
  const std::size_t units = saturates ? layer.inputs + layer.outputs : layer.inputs;
  return static_cast<float>(std::sqrt(6.0 / static_cast<double>(units)));
}

}  // namespace

InputScaling standardizing(std::span<const float> mean, std::span<const float> standard_deviation) {
  InputScaling scaling{{mean.begin(), mean.end()}, {}};
  for (const float deviation : standard_deviation) scaling.scale.push_back(deviation > 0.0F ? 1.0F / deviation : 0.0F);
  return scaling;
}

Network::Network(const Architecture& architecture, const InputScaling& scaling, Products products)
    : architecture_(architecture),
      layers_(layers_of(architecture)),
      uses_blas_(resolved(products) == Products::openblas) {
  const std::size_t size = PixelLists::groups_of(architecture.inputs) * PixelLists::kInputsOfGroup;
  scale_.assign(scaling.scale.begin(), scaling.scale.end());
  scale_.resize(size);
  for (const float mean : scaling.mean) negative_mean_.push_back(-mean);
  negative_mean_.resize(size);
}

MatrixView<const float> Network::weights(std::span<const float> parameters, std::size_t index) const {
  const Layer& layer = layers_[index];
  return {parameters.data() + layer.weights.begin, layer.inputs, layer.columns};
}

void Network::initialize(std::span<float> parameters, std::uint64_t seed) const {
  std::ranges::fill(parameters, 0.0F);
  for (std::size_t index = 0; index < layers_.size(); ++index) {
    const Layer& layer = layers_[index];
    RandomStream stream({.seed = seed, .purpose = Purpose::initial_weights, .epoch = 0, .id = index});
    const float limit = initial_limit(architecture_.activation, layer);
    for (std::size_t input = 0; input < layer.inputs; ++input) {
      for (float& weight : parameters.subspan(layer.weights.begin + input * layer.columns, layer.outputs)) {
        weight = stream.uniform(-limit, limit);
      }
    }
  }
}

void Network::load(std::span<const std::uint8_t* const> rows, std::span<const std::size_t> microbatch_rows,
                   Workspace& workspace) const {
  workspace.state_->rows = rows.size();
  workspace.state_->microbatch_rows.assign(microbatch_rows.begin(), microbatch_rows.end());
  list_pixels(rows, architecture_.inputs, workspace.state_->activations.pixels);
}

const float* Network::multiply_layer(std::span<const float> parameters, std::size_t index, Workspace& workspace) const {
  Workspace::State& state = *workspace.state_;
  Activations& activations = state.activations;
  const Layer& layer = layers_[index];
  const MatrixView<float> outputs = activations.layers[index].outputs.first_rows(state.rows);
  if (index == 0 && uses_blas_) {
    multiply_by_blas(standardized_inputs(state), weights(parameters, 0), state.microbatch_rows, outputs);
    return biases(parameters, 0);
  }
  if (index == 0) {
    // The means are one more row.
    float* const mean_sum = state.first_biases.data();
    multiply_pixels({.lists = activations.pixels,
                     .rows = state.rows,
                     .inputs = layer.inputs,
                     .scale = scale_.data(),
                     .negative_mean = negative_mean_.data(),
                     .weights = parameters.data() + layer.weights.begin,
                     .columns = layer.columns,
                     .sums = outputs.data,
                     .sums_stride = outputs.stride,
                     .mean_sum = mean_sum});
    const float* const first_biases = biases(parameters, 0);
    for (std::size_t i = 0; i < layer.columns; ++i) mean_sum[i] += first_biases[i];
    return mean_sum;
  }
  MatrixView<const float> inputs = activations.layers[index - 1].outputs.first_rows(state.rows);
  inputs.columns = layer.inputs;
  if (uses_blas_) {
    multiply_by_blas(inputs, weights(parameters, index), state.microbatch_rows, outputs);
  } else if (is_small(layer)) {
    multiply_rows(inputs, weights(parameters, index), outputs);
  } else {
    multiply_rows_by_large(inputs, weights(parameters, index), outputs);
  }
  return biases(parameters, index);
}

MatrixView<const float> Network::standardized_inputs(Workspace::State& state) const {
  const PixelLists& pixels = state.activations.pixels;
  const std::size_t stride = pixels.groups * PixelLists::kInputsOfGroup;
  state.inputs.resize(std::max(state.inputs.size(), state.rows * stride));
  const MatrixView<float> inputs(state.inputs.data(), state.rows, stride);
  write_centred_pixels(pixels, 0, 0, negative_mean_.data(), inputs);
  for (std::size_t row = 0; row < state.rows; ++row) {
    const std::span<float> values = inputs.row(row);
    for (std::size_t i = 0; i < stride; ++i) values[i] *= scale_[i];
  }
  return {inputs.data, state.rows, architecture_.inputs, stride};
}

MatrixView<const float> Network::transposed_weights(std::span<const float> parameters, std::size_t index,
                                                    Workspace& workspace) const {
  const Layer& layer = layers_[index];
  AlignedVector<float>& memory = workspace.state_->transposed_weights[index];
  memory.resize(layer.columns * padded(layer.inputs));
  const MatrixView<float> transposed(memory.data(), layer.columns, padded(layer.inputs));
  transpose(weights(parameters, index), transposed);
  return transposed;
}

const float* Network::biases(std::span<const float> parameters, std::size_t index) const {
  return parameters.data() + layers_[index].biases.begin;
}

MatrixView<const float> Network::predict(std::span<const float> parameters, Workspace& workspace) const {
  for (std::size_t index = 0; index < layers_.size(); ++index) {
    const MatrixView<float> outputs =
        workspace.state_->activations.layers[index].outputs.first_rows(workspace.state_->rows);
    const float* const added = multiply_layer(parameters, index, workspace);
    if (index + 1 < layers_.size()) {
      add_biases_and_activate(architecture_, layers_[index].outputs, outputs, added);
    } else {
      add_biases(outputs, added);
    }
  }
  return workspace.logits();
}

void Network::forward(std::span<const float> parameters, std::span<const std::uint64_t> row_ids, const Dropout& dropout,
                      Workspace& workspace) const {
  for (std::size_t index = 0; index < layers_.size(); ++index) {
    const Layer& layer = layers_[index];
    const MatrixView<float> outputs = workspace.state_->activations.layers[index].outputs.first_rows(row_ids.size());
    const float* const added = multiply_layer(parameters, index, workspace);
    if (index + 1 < layers_.size()) {
      float* scale = workspace.state_->output_scales[index].data();
      dropout.draw(row_ids, index, {scale, row_ids.size(), layer.outputs, layer.columns});
      add_biases_activate_and_drop(architecture_, outputs, scale, added);
    } else {
      add_biases(outputs, added);
    }
  }
}

void Network::backward(std::span<const float> parameters, Workspace& workspace) const {
  Workspace::State& state = *workspace.state_;
  const std::vector<std::size_t>& microbatch_rows = state.microbatch_rows;
  for (std::size_t index = layers_.size(); index-- > 0;) {
    const Activations::LayerViews& layer = state.activations.layers[index];
    std::size_t first = 0;
    for (std::size_t i = 0; i < microbatch_rows.size(); first += microbatch_rows[i++]) {
      sum_rows(layer.deltas.rows_from(first, microbatch_rows[i]), layer.delta_sums.row(i).data());
    }
    if (index == 0) break;
    const MatrixView<float> deltas_below = state.activations.layers[index - 1].deltas.first_rows(state.rows);
    MatrixView<const float> deltas = layer.deltas.first_rows(state.rows);
    deltas.columns = layers_[index].outputs;  // without the padding
    if (uses_blas_) {
      MatrixView<const float> without_padding = weights(parameters, index);
      without_padding.columns = layers_[index].outputs;
      multiply_transposed_by_blas(deltas, without_padding, microbatch_rows, deltas_below);
    } else if (is_small(layers_[index])) {
      multiply_rows(deltas, transposed_weights(parameters, index, workspace), deltas_below);
    } else {
      multiply_rows_by_large_transposed(deltas, weights(parameters, index), deltas_below);
    }
    multiply_by_scale(deltas_below, state.output_scales[index - 1].data());
  }
}

}  // namespace mnist_dist::nn
