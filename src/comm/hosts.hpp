// Which ranks share memory. Ranks are numbered host by host.
#pragma once

#include <cstddef>
#include <vector>

#include "mnist_dist/comm/communicator.hpp"

namespace mnist_dist::comm {

/// All hosts, as every rank sees them.
struct Hosts {
  std::vector<int> ranks;        ///< by host: how many
  std::vector<int> first_ranks;  ///< by host
  int mine = 0;                  ///< this rank's

  [[nodiscard]] int count() const { return static_cast<int>(ranks.size()); }
  [[nodiscard]] int ranks_of(int host) const { return ranks[static_cast<std::size_t>(host)]; }
  [[nodiscard]] int first_rank_of(int host) const { return first_ranks[static_cast<std::size_t>(host)]; }
  /// The rank of a host that sends and receives its messages to and from another one.
  [[nodiscard]] int handler(int host, int other) const;
};

/// Collective. @param host the ranks that share this rank's memory
/// @throws Error (bug) where `ranks` is not numbered host by host
[[nodiscard]] Hosts learn_hosts(const Communicator& ranks, const Communicator& host);

}  // namespace mnist_dist::comm
