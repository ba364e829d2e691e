// The gradient of the parameters, from what the passes left behind.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "blas_products.hpp"
#include "kernels/gradient_sums.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/nn/network.hpp"

namespace mnist_dist::nn {

std::size_t Network::rows_of_block(const Layer& layer) {
  // Few, so that ranks have equal shares of them; more where rows are long, since each block reads the deltas of all
  // rows.
  return layer.columns <= 512 ? 32 : 128;
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

std::size_t Network::grain(const ParameterRange& block) const {
  const Layer& layer = layers_[layer_with(block)];
  const bool may_be_cut = !uses_blas_ && layer.weights.contains(block);
  return may_be_cut ? PixelLists::kInputsOfGroup * layer.columns : block.size();
}

double Network::cost(const ParameterRange& block, std::size_t rows, std::size_t microbatches) const {
  // What a microbatch costs beside its rows, and the update beside the gradient. Measured.
  constexpr double kRowsForMicrobatch = 2;
  constexpr double kRowsForUpdate = 40;
  const ParameterRange& first = layers_.front().weights;
  double activity = 1;
  if (first.contains(block)) {
    const std::size_t columns = layers_.front().columns;
    activity = share_of_active_groups((block.begin - first.begin) / columns, (block.end - first.begin) / columns);
  }
  return static_cast<double>(block.size()) * (activity * static_cast<double>(rows) +
                                              kRowsForMicrobatch * static_cast<double>(microbatches) + kRowsForUpdate);
}

std::size_t Network::expected_entries(std::size_t rows) const {
  const double active = share_of_active_groups(0, architecture_.inputs);
  return static_cast<std::size_t>(active * static_cast<double>(rows * PixelLists::groups_of(architecture_.inputs)));
}

double Network::share_of_active_groups(std::size_t first_input, std::size_t end_input) const {
  // An input that is v in a share p of the rows, otherwise 0, has the mean m = p v and the variance d^2 = p v^2 - m^2,
  // so p = m^2 / (m^2 + d^2). Of a group's four inputs, two and a half are as good as independent (measured on MNIST).
  // Only operations that all processors round alike: ranks decide by these numbers who does what.
  double active = 0;
  for (std::size_t input = first_input; input < end_input; ++input) {
    const double m = double{negative_mean_[input]} * double{scale_[input]};
    const double black = 1.0 / (m * m + 1.0);
    active += 1.0 - black * black * std::sqrt(black);
  }
  return active / static_cast<double>(end_input - first_input);
}

void Network::gradient(const ParameterRange& block, const SummedMicrobatches& summed, float* sum) const {
  const std::size_t index = layer_with(block);
  const Layer& layer = layers_[index];
  const TreeOfLeaves tree(summed.merges);
  const std::size_t first_input = (block.begin - layer.weights.begin) / layer.columns;
  const std::size_t inputs = block.size() / layer.columns;
  const Activations::LayerViews& any = summed.microbatches.front().activations->layers[index];
  if (block.begin >= layer.biases.begin) {
    thread_local std::vector<const float*> rows;
    rows.clear();
    for (const Microbatch& microbatch : summed.microbatches) {
      rows.push_back(microbatch.activations->layers[index].delta_sums.row(microbatch.index).data());
    }
    sum_rows_along_tree(rows, tree, layer.columns, sum);
  } else if (index == 0) {
    thread_local std::vector<PixelLeaf> leaves;
    leaves.clear();
    for (const Microbatch& microbatch : summed.microbatches) {
      const Activations::LayerViews& views = microbatch.activations->layers[index];
      leaves.push_back({.lists = &microbatch.activations->pixels,
                        .first_row = static_cast<std::uint32_t>(microbatch.first_row),
                        .end_row = static_cast<std::uint32_t>(microbatch.first_row + microbatch.rows),
                        .deltas = views.deltas.data,
                        .delta_sums = views.delta_sums.row(microbatch.index).data()});
    }
    const PixelGradient gradient{.leaves = leaves,
                                 .negative_mean = negative_mean_.data(),
                                 .deltas_stride = any.deltas.stride,
                                 .first_group = first_input / PixelLists::kInputsOfGroup,
                                 .inputs = inputs,
                                 .columns = layer.columns,
                                 .sum = sum};
    uses_blas_ ? sum_gradient_by_blas(gradient, tree) : sum_gradient(gradient, tree);
  } else {
    thread_local std::vector<DenseLeaf> leaves;
    leaves.clear();
    for (const Microbatch& microbatch : summed.microbatches) {
      const Activations& activations = *microbatch.activations;
      const MatrixView<float>& outputs_below = activations.layers[index - 1].outputs;
      leaves.push_back({outputs_below.row(microbatch.first_row).data() + first_input,
                        activations.layers[index].deltas.row(microbatch.first_row).data(), microbatch.rows,
                        outputs_below.stride});
    }
    const DenseGradient gradient{.leaves = leaves,
                                 .deltas_stride = any.deltas.stride,
                                 .inputs = inputs,
                                 .columns = layer.columns,
                                 .sum = sum,
                                 .sum_stride = layer.columns};
    uses_blas_ ? sum_gradient_by_blas(gradient, tree) : sum_gradient(gradient, tree);
  }
}

void Network::scale_gradient(const ParameterRange& block, std::span<float> sum) const {
  const Layer& first = layers_.front();
  if (!first.weights.contains(block)) return;
  const std::size_t first_input = (block.begin - first.weights.begin) / first.columns;
  for (std::size_t i = 0; i * first.columns < block.size(); ++i) {
    const float scale = scale_[first_input + i];
    for (float& value : sum.subspan(i * first.columns, first.columns)) value *= scale;
  }
}

}  // namespace mnist_dist::nn
