// What the passes want of the parameters in another form.
//
// First come the shares of the first layer's blocks in input_offsets W, a row [columns] for each block, whose sum is what
// the offsets add to every row; then the transposed weights of each small layer but the first.
#include <algorithm>

#include "kernels.hpp"
#include "mnist_dist/nn/network.hpp"

namespace mnist_dist::nn {

std::size_t Network::transposed_begin(std::size_t index) const {
  const Layer& first = layers_.front();
  std::size_t begin = input_offsets_.empty() ? 0 : first_layer_blocks() * first.columns;
  for (std::size_t earlier = 1; earlier < index; ++earlier) {
    const Layer& layer = layers_[earlier];
    if (is_small(layer)) begin += layer.outputs * padded(layer.inputs);
  }
  return begin;
}

std::size_t Network::derived_size() const {
  return transposed_begin(layers_.size());
}

void Network::derive(const ParameterRange& block, std::span<const float> values, std::span<float> derived) const {
  const std::size_t index = layer_with(block);
  const Layer& layer = layers_[index];
  if (block.begin >= layer.weights.end || (index > 0 && !is_small(layer))) return;
  const std::size_t first_input = (block.begin - layer.weights.begin) / layer.columns;
  MatrixView<const float> rows(values.data() + block.begin, block.size() / layer.columns, layer.columns);
  if (index == 0) {
    if (input_offsets_.empty()) return;
    float* share = derived.data() + first_input / rows_of_block(layer) * layer.columns;
    multiply_rows({input_offsets_.data() + first_input, 1, rows.rows}, rows, {share, 1, layer.columns});
  } else {
    rows.columns = layer.outputs;
    transpose(rows,
              {derived.data() + transposed_begin(index) + first_input, layer.outputs, rows.rows, padded(layer.inputs)});
  }
}

OwnedParameters::OwnedParameters(const Network& network, std::vector<float> values)
    : values_(std::move(values)), derived_(network.derived_size()) {
  for (const ParameterRange& block : network.blocks()) network.derive(block, values_, derived_);
}

}  // namespace mnist_dist::nn
