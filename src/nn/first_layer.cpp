// The first layer's product, segment by segment of the inputs (input_segments.hpp).
#include <algorithm>
#include <numeric>

#include "kernels.hpp"
#include "mnist_dist/core/hot_loop.hpp"
#include "mnist_dist/nn/network.hpp"
#include "workspace.hpp"

namespace mnist_dist::nn {
namespace {

/// sums += others, row by row.
MNIST_DIST_HOT_LOOP void add_rows(const MatrixView<const float>& others, const MatrixView<float>& sums) {
  for (std::size_t row = 0; row < sums.rows; ++row) {
    const float* other = others.data + row * others.stride;
    float* sum = sums.data + row * sums.stride;
    for (std::size_t i = 0; i < sums.columns; ++i) sum[i] += other[i];
  }
}

/// Where the sum of a node of the tree over the segments belongs.
MatrixView<float> place_of(const Activations& activations, const TreeNode& node, std::size_t rows) {
  const std::size_t segment = node.index << node.level;
  const MatrixView<float>& place =
      segment == 0 ? activations.layers.front().outputs : activations.segment_sums[segment - 1];
  return place.first_rows(rows);
}

}  // namespace

MatrixView<const float> Network::start_segments(std::span<const float> parameters,
                                                std::span<const RowSegments> all_rows, Workspace& workspace) const {
  const MatrixView<const float> first_weights = weights(parameters, 0);
  if (input_offsets_.empty()) return {nullptr, segments(), first_weights.columns};
  const MatrixView<float> starts(workspace.state_->segment_starts.data(), segments(), first_weights.columns);
  for (std::size_t segment = 0; segment < segments(); ++segment) {
    const bool is_wanted = std::ranges::any_of(all_rows, [&](const RowSegments& part) {
      return part.segments.begin <= segment && segment < part.segments.end;
    });
    if (!is_wanted) continue;
    const std::size_t begin = segment_bounds_[segment] * InputActivity::kInputsOfGroup;
    const std::size_t end =
        std::min(segment_bounds_[segment + 1] * InputActivity::kInputsOfGroup, input_offsets_.size());
    multiply_rows({input_offsets_.data() + begin, 1, end - begin}, first_weights.rows_from(begin, end - begin),
                  starts.rows_from(segment, 1));
  }
  return starts;
}

void Network::multiply_inputs(std::span<const float> parameters, std::span<const RowSegments> all_rows,
                              Workspace& workspace) const {
  const MatrixView<const float> starts = start_segments(parameters, all_rows, workspace);
  const SumTree tree(segments());
  for (const RowSegments& part : all_rows) {
    if (part.segments.size() == 0) continue;
    std::vector<std::size_t> leaves(part.segments.size());
    std::iota(leaves.begin(), leaves.end(), part.segments.begin);
    std::vector<MatrixView<float>> sums;
    for (const TreeNode& node : tree.nodes_of(part.segments)) {
      sums.push_back(place_of(*part.activations, node, part.rows));
    }
    multiply_segments(
        {.a = part.activations->inputs.first_rows(part.rows),
         .activity = part.activations->activity,
         .b = weights(parameters, 0),
         .bounds = std::span(segment_bounds_).subspan(part.segments.begin, part.segments.size() + 1),
         .starts = starts.data == nullptr ? starts : starts.rows_from(part.segments.begin, part.segments.size()),
         .merges = merges_of(tree, leaves),
         .sums = sums},
        workspace.state_->active);
  }
}

void Network::add_products(std::span<const LeafBlock> products, Workspace& workspace) const {
  const Workspace::State& state = *workspace.state_;
  const SumTree tree(segments());
  std::vector<TreeNode> nodes;
  for (const LeafBlock& product : products) {
    for (const TreeNode& node : tree.nodes_of(product)) nodes.push_back(node);
  }
  std::vector<MatrixView<float>> sums;
  sums.reserve(nodes.size());
  for (const TreeNode& node : nodes) sums.push_back(place_of(state.activations, node, state.rows));
  for (const Addition& addition : plan_additions(tree, nodes).additions) {
    add_rows(sums[addition.right], sums[addition.left]);
    sums.push_back(sums[addition.left]);
  }
}

}  // namespace mnist_dist::nn
