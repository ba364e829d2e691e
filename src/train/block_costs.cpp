#include "block_costs.hpp"

namespace mnist_dist::train {

std::vector<comm::ParameterBlock> blocks_with_costs(const nn::Network& network, const TrainingData& data,
                                                    std::size_t shards) {
  std::vector<comm::ParameterBlock> blocks;
  for (const ParameterRange& range : network.blocks()) {
    blocks.push_back({range, network.cost(range, data.plan.rows_of_step(0), shards)});
  }
  return blocks;
}

}  // namespace mnist_dist::train
