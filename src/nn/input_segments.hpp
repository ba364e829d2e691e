// The segments of a network's inputs, over which the first layer's product is formed and then added along a tree: so that
// ranks which share memory can each take some segments, and with them some rows of the weights, for the rows of all.
// Local.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace mnist_dist::nn {

/// About the share of rows in which an input is zero, on average over each group of inputs (nn/activations.hpp).
/// @param offsets [inputs] minus each input's mean over its standard deviation, or empty: no input is ever zero then
[[nodiscard]] std::vector<double> zero_shares(std::size_t inputs, std::span<const float> offsets);

/// About the share of rows in which not all inputs of a group are zero. @param zero_share of the group
[[nodiscard]] double activity_in_row(double zero_share);

/// Where each segment ends, in groups of inputs: at most kMaxSegments segments, with about equal work.
/// @param zero_shares by group
[[nodiscard]] std::vector<std::size_t> segment_ends(std::span<const double> zero_shares);

}  // namespace mnist_dist::nn
