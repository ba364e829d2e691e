// Which messages the hosts send each other in a step. Local, but for ranks_of_hosts(): the tree reduction posts the
// messages that stand here, so whoever replays them for any number of hosts and ranks counts what would be sent.
#pragma once

#include <cstddef>
#include <vector>

#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/comm/gradient_reduction.hpp"
#include "mnist_dist/comm/link.hpp"
#include "mnist_dist/core/parameter_range.hpp"
#include "mnist_dist/core/sum_tree.hpp"

namespace mnist_dist::comm {

/// At most one per phase, pair of hosts and direction. The messages of a phase do not wait for each other; a host
/// begins a phase when it has sent and received those of the one before.
struct HostMessage {
  int phase = 0;
  int from = 0;  ///< host
  int to = 0;    ///< host
  std::size_t bytes = 0;
};

/// Which of a host's ranks sends and receives its messages to and from another host: a number among its own ranks.
[[nodiscard]] constexpr int handler_of(int other_host, int ranks_of_host) {
  return other_host % ranks_of_host;
}

/// The parameters that each host sums and updates where gradients are exchanged: by host, in their order, a run of
/// the blocks' grains, perhaps none. A host with twice as many ranks has about twice as many parameters.
[[nodiscard]] std::vector<ParameterRange> ranges_of_hosts(const std::vector<int>& ranks_of_hosts,
                                                          const std::vector<ParameterBlock>& blocks);

/// What lies of the blocks within a host's range, cut where that begins and ends.
[[nodiscard]] std::vector<ParameterBlock> blocks_within(const ParameterRange& range,
                                                        const std::vector<ParameterBlock>& blocks);

/// The parameters that each of a host's ranks forms: by rank, in their order, a run of blocks of about its share of the
/// cost, perhaps none.
[[nodiscard]] std::vector<ParameterRange> ranges_of_ranks(int ranks, const std::vector<ParameterBlock>& blocks);

/// The sums that each host's shards leave, by host: nodes of the tree, as few as it allows.
[[nodiscard]] std::vector<std::vector<TreeNode>> sums_of_hosts(const std::vector<int>& ranks_of_hosts,
                                                               std::size_t shards);

/// Gradients: in phase 0 each host's sums over a range go to the range's host, in phase 1 the range's new parameters
/// come back. @param ranks_of_hosts by host; ranks are numbered host by host
[[nodiscard]] std::vector<HostMessage> messages_of_gradients(const std::vector<int>& ranks_of_hosts, std::size_t shards,
                                                             const std::vector<ParameterBlock>& blocks);

/// Activations: each host's go to all others, in one phase. @param bytes_of_hosts of each host's activations
[[nodiscard]] std::vector<HostMessage> messages_of_activations(const std::vector<std::size_t>& bytes_of_hosts);

/// Bytes before a host's activations in a message: how many each of its ranks has packed.
[[nodiscard]] std::size_t bytes_before_activations(int ranks_of_host);
/// The most that each host's activations take in a message, by host. @param most_packed by a rank
[[nodiscard]] std::vector<std::size_t> most_activations(const std::vector<int>& ranks_of_hosts,
                                                        std::size_t most_packed);

/// Whether MPI 3 can count the bytes of each message.
[[nodiscard]] bool can_be_sent(const std::vector<HostMessage>& messages);

/// What the messages of a step come to at the host that has the most to do with them.
struct HostTraffic {
  int phases = 0;
  std::size_t messages = 0;  ///< that a host sends, at most
  std::size_t bytes = 0;     ///< that a host sends, at most
  double seconds = 0;        ///< until all hosts have all messages; nothing else is computed meanwhile

  [[nodiscard]] bool operator==(const HostTraffic&) const = default;
};

/// A phase takes the link's latency and, at the slowest host, its bytes, in or out, and a while for each message.
[[nodiscard]] HostTraffic traffic_of(const std::vector<HostMessage>& messages, const Link& link);

/// Collective over `ranks`: how many each host has, in their order. @param host the ranks that share this rank's memory
/// @throws Error (bug) where the ranks are not numbered host by host
[[nodiscard]] std::vector<int> ranks_of_hosts(const Communicator& ranks, const Communicator& host);

}  // namespace mnist_dist::comm
