// What the two exchanges between hosts have in common: the parameters in the host's memory, and who updates them.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "block_owners.hpp"
#include "host_barrier.hpp"
#include "host_messages.hpp"
#include "hosts.hpp"
#include "mnist_dist/comm/gradient_reduction.hpp"
#include "mnist_dist/comm/host_memory.hpp"

namespace mnist_dist::comm {

/// Bytes, up to the next whole cache line.
[[nodiscard]] constexpr std::size_t whole_lines(std::size_t bytes) {
  return (bytes + 63) / 64 * 64;
}

/// Shards [begin, end) of the tree, added as far as it allows: one ShardSum for each sum that is left.
[[nodiscard]] std::vector<ShardSum> shard_sums_of(LeafBlock shards, std::size_t shard_count, int ranks);

class TreeReduction : public GradientReduction {
 public:
  [[nodiscard]] std::span<const float> parameters() const override { return parameters_; }
  [[nodiscard]] std::span<const ParameterRange> my_blocks() const override { return owners_.blocks_of(host_.rank()); }
  [[nodiscard]] ParameterRange my_range() const override { return owners_.range_of(host_.rank()); }
  [[nodiscard]] std::span<const ShardSum> shard_sums() const override { return shard_sums_; }
  void set_parameters(std::span<const float> values) override;
  [[nodiscard]] std::span<float> to_update(const ParameterRange& block) override;
  void updated(const ParameterRange& block) override;

 protected:
  /// Collective. @param owned the blocks that this host's ranks update  @param parameters their number, of all
  /// @param summed the shards that this host sums  @param exchanged bytes of memory(), for this host as a whole
  TreeReduction(const Communicator& ranks, const Communicator& host, Hosts hosts,
                const std::vector<ParameterBlock>& owned, std::size_t parameters, std::vector<ShardSum> shard_sums,
                std::size_t exchanged);

  /// Shared by the host's ranks; at a multiple of 64, all zero at first.
  [[nodiscard]] std::span<std::byte> memory() const { return exchanged_; }
  [[nodiscard]] std::span<float> shared_parameters() const { return parameters_; }
  [[nodiscard]] const Communicator& ranks() const { return ranks_; }
  [[nodiscard]] const Communicator& host() const { return host_; }
  [[nodiscard]] const Hosts& hosts() const { return hosts_; }
  /// Collective over the host.
  void wait_for_host(Wait what) { barrier_.wait(what); }

 private:
  const Communicator& ranks_;
  const Communicator& host_;
  Hosts hosts_;
  BlockOwners owners_;  // by rank of this host
  std::vector<ShardSum> shard_sums_;
  bool has_cores_;
  HostMemory memory_;
  HostBarrier barrier_;
  std::span<float> parameters_;
  std::span<std::byte> exchanged_;
  // My range, which is updated, where other cores have parameters_ in their caches: an update in place would wait for
  // each line of it.
  std::vector<float> mine_;
};

/// Collective. @param most_packed ShardGradients::packed_size() is never larger
[[nodiscard]] std::unique_ptr<GradientReduction> make_activation_exchange(const Communicator& ranks,
                                                                          const Communicator& host, Hosts hosts,
                                                                          std::size_t shards,
                                                                          const std::vector<ParameterBlock>& blocks,
                                                                          std::size_t most_packed);
/// Collective.
[[nodiscard]] std::unique_ptr<GradientReduction> make_gradient_exchange(const Communicator& ranks,
                                                                        const Communicator& host, Hosts hosts,
                                                                        std::size_t shards,
                                                                        const std::vector<ParameterBlock>& blocks);

}  // namespace mnist_dist::comm
