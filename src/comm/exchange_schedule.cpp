#include "mnist_dist/comm/exchange_schedule.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "block_owners.hpp"
#include "tree_reduction.hpp"

namespace mnist_dist::comm {
namespace {

/// What the processor does for a message before the next one can leave.
constexpr double kSecondsOfMessage = 10e-6;

std::vector<ParameterRange> ranges_of(const BlockOwners& owners, std::size_t count) {
  std::vector<ParameterRange> ranges;
  ranges.reserve(count);
  for (std::size_t owner = 0; owner < count; ++owner) ranges.push_back(owners.range_of(static_cast<int>(owner)));
  return ranges;
}

/// In both directions.
std::size_t pairs_of(int hosts) {
  return static_cast<std::size_t>(hosts) * static_cast<std::size_t>(hosts - 1);
}

void add_message(std::vector<HostMessage>& messages, const HostMessage& message) {
  if (message.from != message.to && message.bytes > 0) messages.push_back(message);
}

/// Of one host in one phase.
struct Flow {
  std::size_t bytes_out = 0;
  std::size_t bytes_in = 0;
  std::size_t messages_out = 0;
  std::size_t messages_in = 0;
};

double seconds_of(const Flow& flow, const Link& link) {
  return link.seconds(static_cast<double>(std::max(flow.bytes_out, flow.bytes_in))) +
         static_cast<double>(flow.messages_out + flow.messages_in) * kSecondsOfMessage;
}

}  // namespace

std::vector<ParameterRange> ranges_of_hosts(const std::vector<int>& ranks_of_hosts,
                                            const std::vector<ParameterBlock>& blocks) {
  std::vector<ParameterBlock> grains;
  for (const ParameterBlock& block : blocks) {
    for (std::size_t begin = block.range.begin; begin < block.range.end; begin += block.grain) {
      const ParameterRange range{begin, std::min(begin + block.grain, block.range.end)};
      // Between hosts a parameter costs what is sent and updated for it, and that is the same for all.
      grains.push_back({range, static_cast<double>(range.size()), block.grain});
    }
  }
  return ranges_of(BlockOwners(grains, ranks_of_hosts), ranks_of_hosts.size());
}

std::vector<ParameterBlock> blocks_within(const ParameterRange& range, const std::vector<ParameterBlock>& blocks) {
  std::vector<ParameterBlock> within;
  for (const ParameterBlock& block : blocks) {
    const ParameterRange part{std::max(block.range.begin, range.begin), std::min(block.range.end, range.end)};
    if (part.begin >= part.end) continue;
    const double share = static_cast<double>(part.size()) / static_cast<double>(block.range.size());
    within.push_back({part, share * block.cost, block.grain});
  }
  return within;
}

std::vector<ParameterRange> ranges_of_ranks(int ranks, const std::vector<ParameterBlock>& blocks) {
  return ranges_of(BlockOwners(blocks, ranks), static_cast<std::size_t>(ranks));
}

std::vector<std::vector<TreeNode>> sums_of_hosts(const std::vector<int>& ranks_of_hosts, std::size_t shards) {
  const int ranks = std::accumulate(ranks_of_hosts.begin(), ranks_of_hosts.end(), 0);
  const SumTree tree(shards);
  std::vector<std::vector<TreeNode>> sums;
  int first_rank = 0;
  for (const int of_host : ranks_of_hosts) {
    std::vector<TreeNode> leaves;
    const std::size_t end = shards_of_rank(shards, ranks, first_rank + of_host - 1).end;
    for (std::size_t shard = shards_of_rank(shards, ranks, first_rank).begin; shard < end; ++shard) {
      leaves.push_back(tree.leaf(shard));
    }
    sums.push_back(plan_additions(tree, leaves).result_nodes);
    first_rank += of_host;
  }
  return sums;
}

std::vector<HostMessage> messages_of_gradients(const std::vector<int>& ranks_of_hosts, std::size_t shards,
                                               const std::vector<ParameterBlock>& blocks) {
  const std::vector<ParameterRange> ranges = ranges_of_hosts(ranks_of_hosts, blocks);
  const std::vector<std::vector<TreeNode>> sums = sums_of_hosts(ranks_of_hosts, shards);
  const int hosts = static_cast<int>(ranks_of_hosts.size());
  std::vector<HostMessage> messages;
  messages.reserve(2 * pairs_of(hosts));
  for (int from = 0; from < hosts; ++from) {
    for (int step = 1; step < hosts; ++step) {
      const int to = (from + step) % hosts;  // not all to the same host at once
      const std::size_t bytes = ranges[static_cast<std::size_t>(to)].size() * sizeof(float);
      add_message(messages, {0, from, to, sums[static_cast<std::size_t>(from)].size() * bytes});
    }
  }
  for (int from = 0; from < hosts; ++from) {
    for (int step = 1; step < hosts; ++step) {
      const std::size_t bytes = ranges[static_cast<std::size_t>(from)].size() * sizeof(float);
      add_message(messages, {1, from, (from + step) % hosts, bytes});
    }
  }
  return messages;
}

std::vector<HostMessage> messages_of_activations(const std::vector<std::size_t>& bytes_of_hosts) {
  const int hosts = static_cast<int>(bytes_of_hosts.size());
  std::vector<HostMessage> messages;
  messages.reserve(pairs_of(hosts));
  for (int from = 0; from < hosts; ++from) {
    for (int step = 1; step < hosts; ++step) {
      add_message(messages, {0, from, (from + step) % hosts, bytes_of_hosts[static_cast<std::size_t>(from)]});
    }
  }
  return messages;
}

std::size_t bytes_before_activations(int ranks_of_host) {
  return whole_lines(static_cast<std::size_t>(ranks_of_host) * sizeof(std::size_t));
}

std::vector<std::size_t> most_activations(const std::vector<int>& ranks_of_hosts, std::size_t most_packed) {
  std::vector<std::size_t> bytes;
  bytes.reserve(ranks_of_hosts.size());
  for (const int ranks : ranks_of_hosts) {
    bytes.push_back(bytes_before_activations(ranks) + static_cast<std::size_t>(ranks) * whole_lines(most_packed));
  }
  return bytes;
}

bool can_be_sent(const std::vector<HostMessage>& messages) {
  return std::ranges::all_of(messages, [](const HostMessage& message) { return std::in_range<int>(message.bytes); });
}

HostTraffic traffic_of(const std::vector<HostMessage>& messages, const Link& link) {
  int hosts = 0;
  HostTraffic traffic;
  for (const HostMessage& message : messages) {
    hosts = std::max({hosts, message.from + 1, message.to + 1});
    traffic.phases = std::max(traffic.phases, message.phase + 1);
  }
  std::vector<Flow> whole(static_cast<std::size_t>(hosts));
  for (int phase = 0; phase < traffic.phases; ++phase) {
    std::vector<Flow> flows(static_cast<std::size_t>(hosts));
    for (const HostMessage& message : messages) {
      if (message.phase != phase) continue;
      Flow& from = flows[static_cast<std::size_t>(message.from)];
      Flow& to = flows[static_cast<std::size_t>(message.to)];
      from.bytes_out += message.bytes;
      to.bytes_in += message.bytes;
      ++from.messages_out;
      ++to.messages_in;
    }
    double slowest = 0;
    for (std::size_t host = 0; host < flows.size(); ++host) {
      slowest = std::max(slowest, seconds_of(flows[host], link));
      whole[host].bytes_out += flows[host].bytes_out;
      whole[host].messages_out += flows[host].messages_out;
    }
    traffic.seconds += slowest;
  }
  for (const Flow& flow : whole) {
    traffic.bytes = std::max(traffic.bytes, flow.bytes_out);
    traffic.messages = std::max(traffic.messages, flow.messages_out);
  }
  return traffic;
}

}  // namespace mnist_dist::comm
