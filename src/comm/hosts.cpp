#include "hosts.hpp"

#include <algorithm>

#include "mnist_dist/comm/exchange_schedule.hpp"
#include "mnist_dist/core/error.hpp"

namespace mnist_dist::comm {

int Hosts::handler(int host, int other) const {
  return first_rank_of(host) + handler_of(other, ranks_of(host));
}

Hosts learn_hosts(const Communicator& ranks, const Communicator& host) {
  // A host is named by its first rank.
  int first_rank = ranks.rank();
  host.broadcast(std::span(&first_rank, 1));
  Hosts hosts;
  for (const int first : ranks.all_gather(first_rank)) {
    if (hosts.first_ranks.empty() || hosts.first_ranks.back() < first) {
      hosts.first_ranks.push_back(first);
      hosts.ranks.push_back(0);
    }
    if (hosts.first_ranks.back() != first) throw Error(ExitCode::bug, "ranks are not numbered host by host");
    ++hosts.ranks.back();
  }
  const auto mine = std::ranges::find(hosts.first_ranks, first_rank);
  hosts.mine = static_cast<int>(mine - hosts.first_ranks.begin());
  return hosts;
}

std::vector<int> ranks_of_hosts(const Communicator& ranks, const Communicator& host) {
  return learn_hosts(ranks, host).ranks;
}

}  // namespace mnist_dist::comm
