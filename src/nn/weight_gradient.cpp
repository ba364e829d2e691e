// The gradient of the parameters, from what the passes left behind.
#include <fmt/format.h>

#include <algorithm>

#include "input_segments.hpp"
#include "kernels.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/nn/network.hpp"

namespace mnist_dist::nn {

std::size_t Network::rows_of_block(const Layer& layer) {
  // Few, so that ranks have equal shares of them; more where rows are long, since each block reads the deltas of all rows.
  return layer.columns <= 512 ? 16 : 128;
}

bool Network::is_small(const Layer& layer) {
  return layer.inputs * layer.columns <= std::size_t{1} << 17;
}

std::size_t Network::layer_with(const ParameterRange& block) const {
  const auto found = std::ranges::find_if(layers_, [&](const Layer& layer) {
    return ParameterRange{layer.weights.begin, layer.biases.end}.contains(block);
  });
  if (found == layers_.end()) throw Error(ExitCode::bug, fmt::format("no layer has the parameter {}", block.end));
  return static_cast<std::size_t>(found - layers_.begin());
}

std::vector<ParameterRange> Network::blocks() const {
  std::vector<ParameterRange> blocks;
  for (const Layer& layer : layers_) {
    const std::size_t size = rows_of_block(layer) * layer.columns;
    for (std::size_t begin = layer.weights.begin; begin < layer.weights.end; begin += size) {
      blocks.push_back({begin, std::min(begin + size, layer.weights.end)});
    }
    blocks.push_back(layer.biases);
  }
  std::ranges::sort(blocks, {}, &ParameterRange::begin);  // as they lie in memory
  return blocks;
}

double Network::cost(const ParameterRange& block, std::size_t rows, std::size_t microbatches) const {
  // What a microbatch costs beside its rows, the update beside the gradient, and a row that had to be looked for beside one
  // in line. Measured.
  constexpr double kRowsForMicrobatch = 2;
  constexpr double kRowsForUpdate = 40;
  constexpr double kSparseRow = 1.5;
  const ParameterRange& first = layers_.front().weights;
  double activity = 1;
  if (first.contains(block)) {
    const std::size_t group_size = InputActivity::kInputsOfGroup * layers_.front().columns;
    const std::size_t begin = (block.begin - first.begin) / group_size;
    const std::size_t end = (block.end - first.begin + group_size - 1) / group_size;
    activity = 0;
    for (std::size_t group = begin; group < end; ++group) activity += activity_in_row(zero_shares_[group]);
    activity *= kSparseRow / static_cast<double>(end - begin);
  }
  return static_cast<double>(block.size()) * (activity * static_cast<double>(rows) +
                                              kRowsForMicrobatch * static_cast<double>(microbatches) + kRowsForUpdate);
}

void Network::gradient(const ParameterRange& block, std::span<const Microbatch> microbatches,
                       std::span<float* const> sums, std::span<const float> written_next) const {
  static const float kOne = 1.0F;
  const std::size_t index = layer_with(block);
  const Layer& layer = layers_[index];
  const bool is_first = index == 0;
  const bool of_biases = block.begin >= layer.biases.begin;
  const std::size_t first_input = of_biases ? 0 : (block.begin - layer.weights.begin) / layer.columns;

  std::vector<GradientMicrobatch> sources;
  sources.reserve(microbatches.size());
  for (const Microbatch& microbatch : microbatches) {
    const Activations& activations = *microbatch.activations;
    const Activations::LayerViews& views = activations.layers[index];
    const MatrixView<float>& inputs = is_first ? activations.inputs : activations.layers[index - 1].outputs;
    const float* delta_sums = views.delta_sums.row(microbatch.index).data();
    if (of_biases) {
      // The sums of the deltas, added along the tree: as the product of a single one and a single row.
      sources.push_back({&kOne, delta_sums, nullptr, nullptr, 0, 1, microbatch.merges});
    } else {
      sources.push_back({inputs.row(microbatch.first_row).data(), views.deltas.row(microbatch.first_row).data(),
                         delta_sums, is_first ? activations.activity.words : nullptr, microbatch.first_row,
                         microbatch.rows, microbatch.merges});
    }
  }
  if (sources.empty()) return;
  const Activations& any = *microbatches.front().activations;
  sum_gradients({.microbatches = sources.data(),
                 .count = sources.size(),
                 .inputs_stride = is_first ? any.inputs.stride : any.layers[index - 1].outputs.stride,
                 .deltas_stride = any.layers[index].deltas.stride,
                 .groups = any.activity.groups,
                 .offsets = is_first && !of_biases && !input_offsets_.empty() ? input_offsets_.data() : nullptr,
                 .first_input = first_input,
                 .inputs = of_biases ? 1 : block.size() / layer.columns,
                 .columns = layer.columns,
                 .sums_stride = layer.columns,
                 .written_next = written_next.data()},
                sums);
}

}  // namespace mnist_dist::nn
