// The segments of a network's inputs, over which the first layer's product is formed and then added along a tree: so that
// ranks which share memory can each take some segments, and with them some rows of the weights, for the rows of all.
// Local.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace mnist_dist::nn {

/// About the share of rows in which a group of inputs (nn/activations.hpp) is not zero, for every group.
/// @param offsets [inputs] minus each input's mean over its standard deviation, or empty: no input is ever zero then
[[nodiscard]] std::vector<double> group_activity(std::size_t inputs, std::span<const float> offsets);

/// Where each segment ends, in groups of inputs: at most kMaxSegments segments, about as active as each other.
/// @param activity by group
[[nodiscard]] std::vector<std::size_t> segment_ends(std::span<const double> activity);

}  // namespace mnist_dist::nn
