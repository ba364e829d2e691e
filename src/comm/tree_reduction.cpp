// The reduction whose bits depend on the shards alone.
#include <sched.h>

#include <algorithm>

#include "block_owners.hpp"
#include "host_barrier.hpp"
#include "host_exchange.hpp"
#include "hosts.hpp"
#include "mnist_dist/comm/gradient_reduction.hpp"
#include "mnist_dist/comm/host_memory.hpp"
#include "mnist_dist/core/shards.hpp"
#include "mnist_dist/core/sum_tree.hpp"
#include "mpi_handle.hpp"

namespace mnist_dist::comm {
namespace {

// The parameters follow the barrier in the segment of the host's first rank.
constexpr std::size_t kBarrierBytes = 4096;
static_assert(sizeof(HostBarrier::State) <= kBarrierBytes);

/// Whether the processors that the host's ranks may use are at least as many as the ranks.
bool each_rank_has_a_core(const Communicator& host) {
  cpu_set_t mine;
  CPU_ZERO(&mine);
  if (sched_getaffinity(0, sizeof mine, &mine) != 0) return false;
  std::vector<std::int64_t> usable(CPU_SETSIZE);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) usable[static_cast<std::size_t>(cpu)] = CPU_ISSET(cpu, &mine) ? 1 : 0;
  host.sum(usable);
  return std::count_if(usable.begin(), usable.end(), [](std::int64_t n) { return n > 0; }) >= host.size();
}

/// Where ranks share cores, each is a team of its own: to wait for each other more often would cost more than it saves.
Team team_of(const Communicator& host, bool has_cores) {
  const auto host_rank = static_cast<std::size_t>(host.rank());
  return has_cores ? Team{0, static_cast<std::size_t>(host.size()), host_rank} : Team{host_rank, 1, 0};
}

std::size_t place_of_host(const std::vector<Host>& hosts, int rank) {
  const auto mine = std::ranges::find_if(hosts, [&](const Host& host) { return host.has(rank); });
  return static_cast<std::size_t>(mine - hosts.begin());
}

/// The shards of a host's ranks, in the ranks' order, and how their gradients are added.
std::vector<SummedShard> shards_of_host(const Host& host, const SumTree& tree, std::size_t shard_count, int ranks) {
  std::vector<SummedShard> result;
  std::vector<std::size_t> shards;
  for (std::size_t host_rank = 0; host_rank < host.ranks.size(); ++host_rank) {
    const ShardBlock block = shards_of_rank(shard_count, ranks, host.ranks[host_rank]);
    for (std::size_t shard = block.begin; shard < block.end; ++shard) {
      shards.push_back(shard);
      result.push_back({shard, static_cast<int>(host_rank)});
    }
  }
  const std::vector<std::uint8_t> merges = merges_of(tree, shards);
  for (std::size_t i = 0; i < result.size(); ++i) result[i].merges = merges[i];
  return result;
}

class TreeReduction : public GradientReduction {
 public:
  TreeReduction(const Communicator& ranks, const Communicator& host, std::size_t shards,
                const std::vector<ParameterBlock>& blocks)
      : ranks_(ranks),
        owners_(blocks, ranks.size()),
        hosts_(learn_hosts(ranks, host, shards)),
        my_host_(place_of_host(hosts_, ranks.rank())),
        summed_shards_(shards_of_host(hosts_[my_host_], SumTree(shards), shards, ranks.size())),
        exchange_(ranks, hosts_, my_host_, SumTree(shards), owners_),
        has_cores_(each_rank_has_a_core(host)),
        team_(team_of(host, has_cores_)),
        memory_(host, host.rank() == 0 ? kBarrierBytes + owners_.parameter_count() * sizeof(float) : 0),
        barrier_(reinterpret_cast<HostBarrier::State*>(memory_.segment(0).data()), host.size(), has_cores_),
        parameters_(reinterpret_cast<float*>(memory_.segment(0).data() + kBarrierBytes), owners_.parameter_count()) {}

  [[nodiscard]] std::span<const float> parameters() const override { return parameters_; }
  [[nodiscard]] ParameterRange my_range() const override { return owners_.range_of(ranks_.rank()); }
  [[nodiscard]] Team team() const override { return team_; }
  void wait_for_team() override {
    if (team_.size > 1) barrier_.wait();
  }
  [[nodiscard]] std::span<const SummedShard> summed_shards() const override { return summed_shards_; }

  void set_parameters(std::span<const float> values) override {
    barrier_.wait();
    std::ranges::copy(my_range().of(values), my_range().of(parameters_).begin());
    gather_parameters();
  }

  void reduce_and_update(const Gradient& gradient, const Update& update, const BeforeUpdate& before_update) override {
    exchange_.expect_sums();
    barrier_.wait();  // the activations of all ranks of this host are in place
    for (const int owner : exchange_.remote_owners()) {
      for (const ParameterRange& block : owners_.blocks_of(owner)) gradient(block, exchange_.places(owner, block));
      exchange_.send_sums(owner);
    }
    const std::span<const ParameterRange> my_blocks = owners_.blocks_of(ranks_.rank());
    if (exchange_.is_needed()) {
      for (const ParameterRange& block : my_blocks) gradient(block, exchange_.places(ranks_.rank(), block));
      exchange_.wait();
    }
    // With room for one block, each is updated as soon as it is summed; with room for all, after all are.
    const bool all_first = static_cast<bool>(before_update);
    gradient_.resize(all_first ? my_range().size() : owners_.largest_block());
    const auto sum_of = [&](const ParameterRange& block) {
      return std::span(gradient_).subspan(all_first ? block.begin - my_range().begin : 0, block.size());
    };
    const auto update_block = [&](const ParameterRange& block) { update(block, sum_of(block), block.of(parameters_)); };
    for (const ParameterRange& block : my_blocks) {
      float* const sum = sum_of(block).data();
      if (exchange_.is_needed()) {
        exchange_.finish(block, sum);
      } else {
        gradient(block, std::span(&sum, 1));
      }
      if (!all_first) update_block(block);
    }
    if (all_first) {
      before_update(my_blocks, gradient_);
      std::ranges::for_each(my_blocks, update_block);
    }
    gather_parameters();
  }

  [[nodiscard]] std::vector<float> gather(std::span<const float> of_my_range) const override {
    std::vector<float> all(ranks_.rank() == 0 ? owners_.parameter_count() : 0);
    ranks_.gather_parts(of_my_range, std::span(all));
    return all;
  }

 private:
  void gather_parameters() {
    exchange_.gather(parameters_.data());
    barrier_.wait();
  }

  const Communicator& ranks_;
  BlockOwners owners_;
  std::vector<Host> hosts_;
  std::size_t my_host_;  // in hosts_
  std::vector<SummedShard> summed_shards_;
  HostExchange exchange_;
  bool has_cores_;
  Team team_;
  HostMemory memory_;
  HostBarrier barrier_;
  std::span<float> parameters_;
  std::vector<float> gradient_;  // of a block, or of my range
};

}  // namespace

std::unique_ptr<GradientReduction> make_tree_reduction(const Communicator& ranks, const Communicator& host,
                                                       std::size_t shards, const std::vector<ParameterBlock>& blocks) {
  if (static_cast<std::size_t>(ranks.size()) > shards) {
    throw Error(ExitCode::bug, fmt::format("{} ranks for {} shards", ranks.size(), shards));
  }
  return std::make_unique<TreeReduction>(ranks, host, shards, blocks);
}

}  // namespace mnist_dist::comm
