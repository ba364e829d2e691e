// Which rank owns which blocks of the parameters.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "mnist_dist/comm/gradient_reduction.hpp"

namespace mnist_dist::comm {

/// Each rank owns a run of blocks, perhaps an empty one; the runs have nearly equal costs.
class BlockOwners {
 public:
  BlockOwners(const std::vector<ParameterBlock>& blocks, int ranks);

  [[nodiscard]] std::size_t parameter_count() const { return parameter_count_; }
  [[nodiscard]] std::span<const ParameterRange> all() const { return blocks_; }
  [[nodiscard]] std::span<const ParameterRange> blocks_of(int rank) const;
  [[nodiscard]] ParameterRange range_of(int rank) const;

 private:
  std::size_t parameter_count_;
  std::vector<ParameterRange> blocks_;
  std::vector<std::size_t> first_block_;  // by rank, and one past the last
};

}  // namespace mnist_dist::comm
