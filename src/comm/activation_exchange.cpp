// The tree reduction whose hosts send each other activations: each does what a single host would do. On a single host
// there are no messages.
#include <numeric>
#include <utility>

#include "tree_reduction.hpp"

namespace mnist_dist::comm {
namespace {

/// A message: how many bytes each rank of the host has packed, then these bytes, each rank's at a multiple of 64.
class ActivationExchange final : public TreeReduction {
 public:
  ActivationExchange(const Communicator& ranks, const Communicator& host, Hosts all_hosts, std::size_t shards,
                     const std::vector<ParameterBlock>& blocks, const std::vector<std::size_t>& bytes_of_hosts)
      : TreeReduction(ranks, host, std::move(all_hosts), blocks, blocks.back().range.end,
                      shard_sums_of({0, shards}, shards, ranks.size()),
                      std::accumulate(bytes_of_hosts.begin(), bytes_of_hosts.end(), std::size_t{0})),
        messages_(ranks, hosts(), messages_of_activations(bytes_of_hosts)) {
    std::span<std::byte> left = memory();
    for (const std::size_t bytes : bytes_of_hosts) {
      of_hosts_.push_back(left.first(bytes));
      left = left.subspan(bytes);
    }
  }

  void exchange(ShardGradients& gradients) override {
    if (hosts().count() == 1) {
      wait_for_host(Wait::gradients);  // the activations of all ranks are in place
      return;
    }
    messages_.expect(0, [&](int from) { return of_host(from).data(); });
    sizes(hosts().mine)[static_cast<std::size_t>(host().rank())] = gradients.packed_size();
    wait_for_host(Wait::gradients);  // so are the sizes
    gradients.pack(packed_by(hosts().mine, host().rank()));
    wait_for_host(Wait::gradients);
    const std::span<std::byte> last = packed_by(hosts().mine, host().size() - 1);
    const std::span<std::byte> mine = of_host(hosts().mine);
    for (const HostMessage& message : messages_.to_send(0)) {
      messages_.send(message, {mine.data(), last.data() + last.size()});
    }
    messages_.wait(Wait::gradients);
    wait_for_host(Wait::gradients);  // what the other ranks of this host have received is here, too
    for (int other = 0; other < hosts().count(); ++other) {
      if (other != hosts().mine) take_from(other, gradients);
    }
  }

  [[nodiscard]] std::span<float> sum(const ParameterRange& block, const ShardGradients& gradients,
                                     std::span<float> room) override {
    gradients.form(block, 0, room.data());
    return room;
  }

  void share_parameters() override { wait_for_host(Wait::parameters); }
  void await_parameters() override {}

  void all_gather(std::span<const double> of_my_blocks, std::span<double> all) const override {
    host().all_gather_parts(of_my_blocks, all);
  }

  void gather(std::span<const float> of_my_range, std::vector<float>& all) const override {
    all.resize(ranks().rank() == 0 ? parameters().size() : 0);
    // Every host has all values.
    ranks().gather_parts(of_my_range.first(hosts().mine == 0 ? of_my_range.size() : 0), std::span(all));
  }

 private:
  [[nodiscard]] std::span<std::byte> of_host(int which) const { return of_hosts_[static_cast<std::size_t>(which)]; }
  [[nodiscard]] std::span<std::size_t> sizes(int which) const {
    return {reinterpret_cast<std::size_t*>(of_host(which).data()), static_cast<std::size_t>(hosts().ranks_of(which))};
  }
  /// @param rank among those of the host
  [[nodiscard]] std::span<std::byte> packed_by(int which, int rank) const {
    std::size_t before = bytes_before_activations(hosts().ranks_of(which));
    for (const std::size_t size : sizes(which).first(static_cast<std::size_t>(rank))) before += whole_lines(size);
    return of_host(which).subspan(before, sizes(which)[static_cast<std::size_t>(rank)]);
  }
  void take_from(int other, ShardGradients& gradients) const {
    for (int rank = 0; rank < hosts().ranks_of(other); ++rank) {
      gradients.take(hosts().first_rank_of(other) + rank, packed_by(other, rank));
    }
  }

  HostMessages messages_;
  std::vector<std::span<std::byte>> of_hosts_;  // what each sends; in memory()
};

}  // namespace

std::unique_ptr<GradientReduction> make_activation_exchange(const Communicator& ranks, const Communicator& host,
                                                            Hosts hosts, std::size_t shards,
                                                            const std::vector<ParameterBlock>& blocks,
                                                            std::size_t most_packed) {
  std::vector<std::size_t> bytes(hosts.ranks.size());
  if (hosts.count() > 1) bytes = most_activations(hosts.ranks, most_packed);
  return std::make_unique<ActivationExchange>(ranks, host, std::move(hosts), shards, blocks, bytes);
}

}  // namespace mnist_dist::comm
