// Who owns which blocks of the parameters.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "mnist_dist/comm/gradient_reduction.hpp"

namespace mnist_dist::comm {

/// Each owner, a rank or a host, owns a run of blocks, perhaps an empty one, of about its share of the cost.
class BlockOwners {
 public:
  /// @param shares by owner: weights  @param blocks in their order, without gaps
  BlockOwners(const std::vector<ParameterBlock>& blocks, const std::vector<int>& shares);
  /// Equal shares.
  BlockOwners(const std::vector<ParameterBlock>& blocks, int owners);

  [[nodiscard]] std::size_t parameter_count() const { return end_; }
  [[nodiscard]] std::span<const ParameterRange> all() const { return blocks_; }
  [[nodiscard]] std::span<const ParameterRange> blocks_of(int owner) const;
  [[nodiscard]] ParameterRange range_of(int owner) const;

 private:
  std::size_t end_;  // of the last block
  std::vector<ParameterRange> blocks_;
  std::vector<std::size_t> first_block_;  // by owner, and one past the last
};

}  // namespace mnist_dist::comm
