#include "hosts.hpp"

#include <algorithm>

#include "mnist_dist/core/sum_tree.hpp"

namespace mnist_dist::comm {

bool Host::has(int rank) const {
  return std::ranges::find(ranks, rank) != ranks.end();
}

std::vector<Host> learn_hosts(const Communicator& ranks, const Communicator& host, std::size_t shards) {
  // A host is named by its first rank.
  int first_rank = ranks.rank();
  host.broadcast(std::span(&first_rank, 1));
  const std::vector<int> first_ranks = ranks.all_gather(first_rank);
  std::vector<Host> hosts;
  for (int rank = 0; rank < ranks.size(); ++rank) {
    const int first = first_ranks[static_cast<std::size_t>(rank)];
    if (first == rank) hosts.push_back({{rank}, {}});
    if (first != rank)
      std::ranges::find_if(hosts, [&](const Host& h) { return h.ranks.front() == first; })->ranks.push_back(rank);
  }
  const SumTree tree(shards);
  for (Host& one : hosts) {
    std::vector<TreeNode> leaves;
    for (const int rank : one.ranks) {
      const ShardBlock block = shards_of_rank(shards, ranks.size(), rank);
      for (std::size_t shard = block.begin; shard < block.end; ++shard) leaves.push_back(tree.leaf(shard));
    }
    one.sums = plan_additions(tree, leaves).result_nodes;
  }
  return hosts;
}

}  // namespace mnist_dist::comm
