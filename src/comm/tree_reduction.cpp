// The reduction whose bits depend on the shards alone.
#include <sched.h>

#include <algorithm>

#include "block_owners.hpp"
#include "host_barrier.hpp"
#include "host_exchange.hpp"
#include "hosts.hpp"
#include "mnist_dist/comm/gradient_reduction.hpp"
#include "mnist_dist/comm/host_memory.hpp"
#include "mnist_dist/core/sum_tree.hpp"
#include "mpi_handle.hpp"

namespace mnist_dist::comm {
namespace {

// The parameters follow the barrier in the segment of the host's first rank.
constexpr std::size_t kBarrierBytes = 4096;
static_assert(sizeof(HostBarrier::State) <= kBarrierBytes);

// Of parameters: about what the caches of a core hold. Beyond, other cores have lost their copies by the time that the
// parameters are updated, and nothing is gained.
constexpr std::size_t kMostInCaches = std::size_t{1} << 20U;

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

std::size_t place_of_host(const std::vector<Host>& hosts, int rank) {
  const auto mine = std::ranges::find_if(hosts, [&](const Host& host) { return host.has(rank); });
  return static_cast<std::size_t>(mine - hosts.begin());
}

/// The sums that a host's shards leave, in the order of the shards.
std::vector<ShardSum> shard_sums_of(const Host& host, const SumTree& tree, std::size_t shard_count, int ranks) {
  std::vector<ShardSum::Shard> shards;
  std::vector<std::size_t> leaves;
  for (std::size_t host_rank = 0; host_rank < host.ranks.size(); ++host_rank) {
    const ShardBlock block = shards_of_rank(shard_count, ranks, host.ranks[host_rank]);
    for (std::size_t shard = block.begin; shard < block.end; ++shard) {
      shards.push_back({shard, static_cast<int>(host_rank)});
      leaves.push_back(shard);
    }
  }
  const std::vector<std::uint8_t> merges = merges_of(tree, leaves);
  std::vector<ShardSum> sums;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    ShardSum next{{shards[i]}, {merges[i]}};
    for (std::uint8_t merge = 0; merge < merges[i]; ++merge) {
      next.shards.insert(next.shards.begin(), sums.back().shards.begin(), sums.back().shards.end());
      next.merges.insert(next.merges.begin(), sums.back().merges.begin(), sums.back().merges.end());
      sums.pop_back();
    }
    sums.push_back(std::move(next));
  }
  return sums;
}

class TreeReduction : public GradientReduction {
 public:
  TreeReduction(const Communicator& ranks, const Communicator& host, std::size_t shards,
                const std::vector<ParameterBlock>& blocks)
      : ranks_(ranks),
        owners_(blocks, ranks.size()),
        hosts_(learn_hosts(ranks, host, shards)),
        my_host_(place_of_host(hosts_, ranks.rank())),
        shard_sums_(shard_sums_of(hosts_[my_host_], SumTree(shards), shards, ranks.size())),
        exchange_(ranks, hosts_, my_host_, SumTree(shards), owners_),
        has_cores_(each_rank_has_a_core(host)),
        memory_(host, host.rank() == 0 ? kBarrierBytes + owners_.parameter_count() * sizeof(float) : 0),
        barrier_(reinterpret_cast<HostBarrier::State*>(memory_.segment(0).data()), host.size(), has_cores_),
        parameters_(reinterpret_cast<float*>(memory_.segment(0).data() + kBarrierBytes), owners_.parameter_count()),
        mine_(host.size() > 1 && owners_.parameter_count() <= kMostInCaches ? my_range().size() : 0) {}

  [[nodiscard]] std::span<const float> parameters() const override { return parameters_; }
  [[nodiscard]] std::span<const ParameterRange> my_blocks() const override { return owners_.blocks_of(ranks_.rank()); }
  [[nodiscard]] ParameterRange my_range() const override { return owners_.range_of(ranks_.rank()); }
  [[nodiscard]] std::span<const ShardSum> shard_sums() const override { return shard_sums_; }

  void set_parameters(std::span<const float> values) override {
    barrier_.wait(Wait::parameters);
    const std::span<const float> mine = my_range().of(values);
    std::ranges::copy(mine, my_range().of(parameters_).begin());
    if (!mine_.empty()) std::ranges::copy(mine, mine_.begin());
    share_parameters();
  }

  void exchange(const ShardGradients& gradients) override {
    exchange_.expect_sums();
    barrier_.wait(Wait::gradients);  // the activations of all ranks of this host are in place
    if (!exchange_.is_needed()) return;
    for (const int owner : exchange_.remote_owners()) {
      for (const ParameterRange& block : owners_.blocks_of(owner)) form_for(owner, block, gradients);
      exchange_.send_sums(owner);
    }
    for (const ParameterRange& block : my_blocks()) form_for(ranks_.rank(), block, gradients);
    exchange_.wait();
  }

  [[nodiscard]] std::span<float> sum(const ParameterRange& block, const ShardGradients& gradients,
                                     std::span<float> room) override {
    if (exchange_.is_needed()) {
      exchange_.finish(block, room.data());
    } else {
      gradients.form(block, 0, room.data());
    }
    return room;
  }

  [[nodiscard]] std::span<float> to_update(const ParameterRange& block) override {
    if (mine_.empty()) return block.of(parameters_);
    return std::span(mine_).subspan(block.begin - my_range().begin, block.size());
  }

  void updated(const ParameterRange& block) override {
    if (!mine_.empty()) std::ranges::copy(to_update(block), block.of(parameters_).begin());
  }

  void share_parameters() override {
    exchange_.gather(parameters_.data());
    barrier_.wait(Wait::parameters);
  }

  void gather(std::span<const float> of_my_range, std::vector<float>& all) const override {
    all.resize(ranks_.rank() == 0 ? owners_.parameter_count() : 0);
    ranks_.gather_parts(of_my_range, std::span(all));
  }

 private:
  /// Forms this host's sums over a block where they belong.
  void form_for(int owner, const ParameterRange& block, const ShardGradients& gradients) {
    const std::vector<float*> places = exchange_.places(owner, block);
    for (std::size_t i = 0; i < places.size(); ++i) gradients.form(block, i, places[i]);
  }

  const Communicator& ranks_;
  BlockOwners owners_;
  std::vector<Host> hosts_;
  std::size_t my_host_;  // in hosts_
  std::vector<ShardSum> shard_sums_;
  HostExchange exchange_;
  bool has_cores_;
  HostMemory memory_;
  HostBarrier barrier_;
  std::span<float> parameters_;
  // My range, which is updated, where other cores have parameters_ in their caches: an update in place would wait for
  // each line of it.
  std::vector<float> mine_;
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
