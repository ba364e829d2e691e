#include "mnist_dist/nn/network.hpp"

#include <algorithm>
#include <cmath>

#include "activation_functions.hpp"
#include "input_segments.hpp"
#include "kernels.hpp"
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

Network::Network(const Architecture& architecture, std::vector<float> input_offsets)
    : architecture_(architecture),
      layers_(layers_of(architecture)),
      input_offsets_(std::move(input_offsets)),
      zero_shares_(zero_shares(architecture.inputs, input_offsets_)),
      segment_bounds_{0} {
  const std::vector<std::size_t> ends = segment_ends(zero_shares_);
  segment_bounds_.insert(segment_bounds_.end(), ends.begin(), ends.end());
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

void Network::begin_pass(std::size_t rows, Workspace& workspace) const {
  Workspace::State& state = *workspace.state_;
  state.rows = rows;
  mark_active(state.activations.inputs.first_rows(rows), state.activations.activity);
}

void Network::multiply_layer(std::span<const float> parameters, std::size_t index, Workspace& workspace) const {
  Workspace::State& state = *workspace.state_;
  Activations& activations = state.activations;
  const Layer& layer = layers_[index];
  const MatrixView<float> outputs = activations.layers[index].outputs.first_rows(state.rows);
  MatrixView<const float> inputs = activations.layers[index - 1].outputs.first_rows(state.rows);
  inputs.columns = layer.inputs;
  if (is_small(layer)) {
    multiply_rows(inputs, weights(parameters, index), outputs);
  } else {
    multiply_rows_by_large(inputs, weights(parameters, index), outputs);
  }
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

MatrixView<const float> Network::predict(std::span<const float> parameters, std::size_t rows,
                                         Workspace& workspace) const {
  begin_pass(rows, workspace);
  const LeafBlock all_segments{0, segments()};
  multiply_inputs(parameters, std::vector{RowSegments{&workspace.activations(), rows, all_segments}}, workspace);
  for (std::size_t index = 0; index < layers_.size(); ++index) {
    const MatrixView<float> outputs = workspace.state_->activations.layers[index].outputs.first_rows(rows);
    if (index > 0) multiply_layer(parameters, index, workspace);
    if (index + 1 < layers_.size()) {
      add_biases_and_activate(architecture_, layers_[index].outputs, outputs, biases(parameters, index));
    } else {
      add_biases(outputs, biases(parameters, index));
    }
  }
  return workspace.logits();
}

void Network::forward(std::span<const float> parameters, std::span<const LeafBlock> products,
                      std::span<const std::uint64_t> row_ids, const Dropout& dropout, Workspace& workspace) const {
  add_products(products, workspace);
  for (std::size_t index = 0; index < layers_.size(); ++index) {
    const Layer& layer = layers_[index];
    const MatrixView<float> outputs = workspace.state_->activations.layers[index].outputs.first_rows(row_ids.size());
    if (index > 0) multiply_layer(parameters, index, workspace);
    if (index + 1 < layers_.size()) {
      float* scale = workspace.state_->output_scales[index].data();
      dropout.draw(row_ids, index, {scale, row_ids.size(), layer.outputs, layer.columns});
      add_biases_activate_and_drop(architecture_, outputs, scale, biases(parameters, index));
    } else {
      add_biases(outputs, biases(parameters, index));
    }
  }
}

void Network::backward(std::span<const float> parameters, std::span<const std::size_t> microbatch_rows,
                       Workspace& workspace) const {
  Workspace::State& state = *workspace.state_;
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
    if (is_small(layers_[index])) {
      multiply_rows(deltas, transposed_weights(parameters, index, workspace), deltas_below);
    } else {
      multiply_rows_by_large_transposed(deltas, weights(parameters, index), deltas_below);
    }
    multiply_by_scale(deltas_below, state.output_scales[index - 1].data());
  }
}

}  // namespace mnist_dist::nn
