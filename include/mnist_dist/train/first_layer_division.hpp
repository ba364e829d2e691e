// Which ranks of a team (comm/gradient_reduction.hpp) form which part of the first layer's product. Local.
//
// Each member has rows, and the inputs are divided into segments (nn/network.hpp). The segments of each member's rows are
// dealt out so that every member works on few segments, for the rows of all: it then reads few rows of the weights, about
// those that it updates itself, and they stay in its core's cache from step to step.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "mnist_dist/core/sum_tree.hpp"

namespace mnist_dist::train {

class FirstLayerDivision {
 public:
  /// @param place this rank's, below `members`
  FirstLayerDivision(std::size_t segments, std::size_t members, std::size_t place);

  /// The segments of a member's rows that this rank multiplies, perhaps none.
  [[nodiscard]] LeafBlock mine_of_rows_of(std::size_t member) const { return mine_[member]; }
  /// The segments of this rank's rows, as the members multiply them: one after the other, all of them.
  [[nodiscard]] std::span<const LeafBlock> of_my_rows() const { return of_my_rows_; }

 private:
  std::vector<LeafBlock> mine_;        // by whose rows
  std::vector<LeafBlock> of_my_rows_;  // by who multiplies
};

}  // namespace mnist_dist::train
