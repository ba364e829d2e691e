#include "block_costs.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace mnist_dist::train {
namespace {

/// Collective: the share of rows in which a group of inputs is not black, from a sample of each rank's rows.
std::vector<double> input_activity(const comm::Communicator& ranks, const data::ImageRows& rows, std::size_t inputs) {
  constexpr std::size_t kSample = 1000;
  constexpr std::size_t kGroup = nn::InputActivity::kInputsOfGroup;
  std::vector<std::int64_t> counts((inputs + kGroup - 1) / kGroup + 1);
  for (std::size_t row = 0; row < std::min(rows.size(), kSample); ++row) {
    const std::span<const std::uint8_t> pixels = rows.pixels(row);
    for (std::size_t input = 0; input < inputs; input += kGroup) {
      const auto group = pixels.subspan(input, std::min(kGroup, inputs - input));
      if (std::ranges::any_of(group, [](std::uint8_t pixel) { return pixel != 0; })) ++counts[input / kGroup];
    }
    ++counts.back();
  }
  ranks.sum(counts);
  std::vector<double> activity;
  activity.reserve(counts.size());
  for (const std::int64_t count : counts) {
    activity.push_back(static_cast<double>(count) / static_cast<double>(counts.back()));
  }
  return activity;
}

}  // namespace

std::vector<comm::ParameterBlock> blocks_with_costs(const comm::Communicator& ranks, const nn::Network& network,
                                                    const TrainingData& data, std::size_t shards) {
  const std::vector<double> activity = input_activity(ranks, data.training_rows, network.architecture().inputs);
  std::vector<comm::ParameterBlock> blocks;
  for (const ParameterRange& range : network.blocks()) {
    blocks.push_back({range, network.cost(range, activity, data.plan.rows_of_step(0), shards)});
  }
  return blocks;
}

}  // namespace mnist_dist::train
