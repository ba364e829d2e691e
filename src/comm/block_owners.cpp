#include "block_owners.hpp"

#include <numeric>

namespace mnist_dist::comm {

BlockOwners::BlockOwners(const std::vector<ParameterBlock>& blocks, const std::vector<int>& shares)
    : end_(blocks.empty() ? 0 : blocks.back().range.end), first_block_{0} {
  double total = 0;
  for (const ParameterBlock& block : blocks) {
    blocks_.push_back(block.range);
    total += block.cost;
  }
  const int all_shares = std::accumulate(shares.begin(), shares.end(), 0);
  // A block goes to the owner in whose share of the cost its middle lies.
  double before = 0;
  int shares_before = 0;  // of the next owner's
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const double middle = before + blocks[i].cost / 2;
    while (first_block_.size() < shares.size() &&
           middle * all_shares >= total * (shares_before + shares[first_block_.size() - 1])) {
      shares_before += shares[first_block_.size() - 1];
      first_block_.push_back(i);
    }
    before += blocks[i].cost;
  }
  first_block_.resize(shares.size() + 1, blocks.size());
}

BlockOwners::BlockOwners(const std::vector<ParameterBlock>& blocks, int owners)
    : BlockOwners(blocks, std::vector<int>(static_cast<std::size_t>(owners), 1)) {}

std::span<const ParameterRange> BlockOwners::blocks_of(int owner) const {
  const auto index = static_cast<std::size_t>(owner);
  return std::span(blocks_).subspan(first_block_[index], first_block_[index + 1] - first_block_[index]);
}

ParameterRange BlockOwners::range_of(int owner) const {
  const auto index = static_cast<std::size_t>(owner);
  const auto begin_of = [&](std::size_t block) { return block == blocks_.size() ? end_ : blocks_[block].begin; };
  return {begin_of(first_block_[index]), begin_of(first_block_[index + 1])};
}

}  // namespace mnist_dist::comm
