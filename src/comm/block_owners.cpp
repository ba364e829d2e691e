#include "block_owners.hpp"

#include <algorithm>

namespace mnist_dist::comm {

BlockOwners::BlockOwners(const std::vector<ParameterBlock>& blocks, int ranks)
    : parameter_count_(blocks.empty() ? 0 : blocks.back().range.end), first_block_{0} {
  double total = 0;
  for (const ParameterBlock& block : blocks) {
    blocks_.push_back(block.range);
    total += block.cost;
  }
  // A block goes to the rank in whose share of the cost its middle lies.
  double before = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const double middle = before + blocks[i].cost / 2;
    while (first_block_.size() < static_cast<std::size_t>(ranks) &&
           middle * ranks >= total * static_cast<double>(first_block_.size())) {
      first_block_.push_back(i);
    }
    before += blocks[i].cost;
  }
  first_block_.resize(static_cast<std::size_t>(ranks) + 1, blocks.size());
}

std::span<const ParameterRange> BlockOwners::blocks_of(int rank) const {
  const auto index = static_cast<std::size_t>(rank);
  return std::span(blocks_).subspan(first_block_[index], first_block_[index + 1] - first_block_[index]);
}

ParameterRange BlockOwners::range_of(int rank) const {
  const auto index = static_cast<std::size_t>(rank);
  const auto begin_of = [&](std::size_t block) {
    return block == blocks_.size() ? parameter_count_ : blocks_[block].begin;
  };
  return {begin_of(first_block_[index]), begin_of(first_block_[index + 1])};
}

}  // namespace mnist_dist::comm
