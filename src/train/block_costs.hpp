// The pieces in which a network's parameters are summed and updated, and the work that each of them is.
#pragma once

#include <cstddef>
#include <vector>

#include "mnist_dist/comm/gradient_reduction.hpp"
#include "mnist_dist/nn/network.hpp"
#include "mnist_dist/train/training_data.hpp"

namespace mnist_dist::train {

/// Local: all parameters, with their costs in a step over these data. The same at all ranks.
[[nodiscard]] std::vector<comm::ParameterBlock> blocks_with_costs(const nn::Network& network, const TrainingData& data,
                                                                  std::size_t shards);

}  // namespace mnist_dist::train
