#include "tree_reduction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/processors.hpp"
#include "mnist_dist/core/sum_tree.hpp"

namespace mnist_dist::comm {
namespace {

// In the segment of the host's first rank: the barrier, the parameters, what is exchanged.
constexpr std::size_t kBarrierBytes = 4096;
static_assert(sizeof(HostBarrier::State) <= kBarrierBytes);

// Of parameters: about what the caches of a core hold. Beyond, other cores have lost their copies by the time that the
// parameters are updated, and nothing is gained.
constexpr std::size_t kMostInCaches = std::size_t{1} << 20U;

/// Collective: whether the cores that the host's ranks may use are at least as many as the ranks.
bool each_rank_has_a_core(const Communicator& host) {
  std::vector<std::int64_t> ranks_on(kMostCpus);
  for (const int cpu : usable_cpus()) ranks_on[static_cast<std::size_t>(cpu)] = 1;
  host.sum(ranks_on);
  std::vector<int> cpus;
  for (int cpu = 0; cpu < kMostCpus; ++cpu) {
    if (ranks_on[static_cast<std::size_t>(cpu)] > 0) cpus.push_back(cpu);
  }
  return count_cores(cpus, cores_of_machine()) >= host.size();
}

}  // namespace

std::vector<ShardSum> shard_sums_of(LeafBlock shards, std::size_t shard_count, int ranks) {
  std::vector<ShardSum::Shard> held;
  std::vector<std::size_t> leaves;
  int rank = 0;
  for (std::size_t shard = shards.begin; shard < shards.end; ++shard) {
    while (shards_of_rank(shard_count, ranks, rank).end <= shard) ++rank;
    held.push_back({shard, rank});
    leaves.push_back(shard);
  }
  const std::vector<std::uint8_t> merges = merges_of(SumTree(shard_count), leaves);
  std::vector<ShardSum> sums;
  for (std::size_t i = 0; i < held.size(); ++i) {
    ShardSum next{{held[i]}, {merges[i]}};
    for (std::uint8_t merge = 0; merge < merges[i]; ++merge) {
      next.shards.insert(next.shards.begin(), sums.back().shards.begin(), sums.back().shards.end());
      next.merges.insert(next.merges.begin(), sums.back().merges.begin(), sums.back().merges.end());
      sums.pop_back();
    }
    sums.push_back(std::move(next));
  }
  return sums;
}

TreeReduction::TreeReduction(const Communicator& ranks, const Communicator& host, Hosts hosts,
                             const std::vector<ParameterBlock>& owned, std::size_t parameters,
                             std::vector<ShardSum> shard_sums, std::size_t exchanged)
    : ranks_(ranks),
      host_(host),
      hosts_(std::move(hosts)),
      owners_(owned, host.size()),
      shard_sums_(std::move(shard_sums)),
      has_cores_(each_rank_has_a_core(host)),
      memory_(host, host.rank() == 0 ? kBarrierBytes + whole_lines(parameters * sizeof(float)) + exchanged : 0),
      barrier_(reinterpret_cast<HostBarrier::State*>(memory_.segment(0).data()), host.size(), has_cores_),
      parameters_(reinterpret_cast<float*>(memory_.segment(0).data() + kBarrierBytes), parameters),
      exchanged_(memory_.segment(0).subspan(kBarrierBytes + whole_lines(parameters * sizeof(float)))),
      mine_(host.size() > 1 && parameters <= kMostInCaches ? my_range().size() : 0) {}

void TreeReduction::set_parameters(std::span<const float> values) {
  barrier_.wait(Wait::parameters);
  const std::span<const float> mine = my_range().of(values);
  std::ranges::copy(mine, my_range().of(parameters_).begin());
  if (!mine_.empty()) std::ranges::copy(mine, mine_.begin());
  share_parameters();
  await_parameters();
}

std::span<float> TreeReduction::to_update(const ParameterRange& block) {
  if (mine_.empty()) return block.of(parameters_);
  return std::span(mine_).subspan(block.begin - my_range().begin, block.size());
}

void TreeReduction::updated(const ParameterRange& block) {
  if (!mine_.empty()) std::ranges::copy(to_update(block), block.of(parameters_).begin());
}

std::unique_ptr<GradientReduction> make_tree_reduction(const Communicator& ranks, const Communicator& host,
                                                       std::size_t shards, const std::vector<ParameterBlock>& blocks,
                                                       const HostExchange& exchange) {
  if (static_cast<std::size_t>(ranks.size()) > shards) {
    throw Error(ExitCode::bug, fmt::format("{} ranks for {} shards", ranks.size(), shards));
  }
  Hosts hosts = learn_hosts(ranks, host);
  // A single host has the activations of all ranks, and no messages.
  if (hosts.count() == 1 || exchange.kind == ExchangeKind::activations) {
    return make_activation_exchange(ranks, host, std::move(hosts), shards, blocks, exchange.most_packed);
  }
  return make_gradient_exchange(ranks, host, std::move(hosts), shards, blocks);
}

}  // namespace mnist_dist::comm
