// Which ranks share memory, and what each host can add up on its own.
#pragma once

#include <cstddef>
#include <vector>

#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/core/sum_tree.hpp"

namespace mnist_dist::comm {

/// One host as all ranks see it.
struct Host {
  std::vector<int> ranks;      ///< ascending
  std::vector<TreeNode> sums;  ///< the nodes of the tree that its ranks form together, in the order of the shards

  [[nodiscard]] bool has(int rank) const;
  /// Which of its ranks exchanges the range that a rank of another host owns.
  [[nodiscard]] int handler_of(int owner) const { return ranks[static_cast<std::size_t>(owner) % ranks.size()]; }
};

/// Collective: all hosts, the same list at all ranks. @param host the ranks that share this rank's memory
[[nodiscard]] std::vector<Host> learn_hosts(const Communicator& ranks, const Communicator& host, std::size_t shards);

}  // namespace mnist_dist::comm
