// The reduction of gradients and the distribution of new parameters.
//
// The parameters are cut into blocks, and every rank owns some of them. In a step a rank asks for the gradients of its
// blocks, summed over all shards, updates the blocks, and then all get the new parameters. There are two reductions:
//
// The tree (make_tree_reduction) adds in the order of the tree over the shards (core/sum_tree.hpp), so that the sums
// have the same bits for any number of ranks and hosts. On a host nobody writes, sends or reads a whole gradient: the
// ranks leave the activations of their shards in shared memory, and each forms the sums over its blocks from them,
// updates the blocks, and writes them to the host's one copy of the parameters. Between hosts there are two ways, with
// the same sums; comm/exchange_schedule.hpp says which messages they are:
//   - Activations: each host sends what its shards' gradients are made of to all others, in one message each. Then
//     every host does what a single one would do, and all have the same parameters. That is little to send where batch
//     and layers are small, and in one phase.
//   - Gradients: the parameters are cut among the hosts. Each host's sums over a range go to the range's host
//     (reduce-scatter), which adds them to the end and updates; then all hosts get the new parameters (all-gather).
// Either way there is at most one message per phase, pair of hosts and direction, whatever the number of ranks.
//
// MPI's (make_mpi_reduction) is the plain MPI_Allreduce of every rank's gradient; each rank has a copy of the
// parameters and updates all of it. It is the yardstick. Its sums depend on the number of ranks and on MPI's
// algorithms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/core/named_values.hpp"
#include "mnist_dist/core/parameter_range.hpp"

namespace mnist_dist::comm {

/// A piece of the parameters that is summed and updated at once.
struct ParameterBlock {
  ParameterRange range;
  double cost = 0;        ///< of its gradient and update, in any unit; ranks get equal shares of the cost
  std::size_t grain = 1;  ///< parameters; between hosts it may be cut where a multiple of them ends
};

/// Shards whose gradients this host sums to one: a node of the tree.
struct ShardSum {
  struct Shard {
    std::size_t shard = 0;
    int rank = 0;  ///< who has its activations
  };
  std::vector<Shard> shards;
  std::vector<std::uint8_t> merges;  ///< by shard: how often the last two sums are added after it
};

/// The gradients of a step, as the one who knows the network forms them.
class ShardGradients {
 public:
  ShardGradients() = default;
  ShardGradients(const ShardGradients&) = delete;
  ShardGradients& operator=(const ShardGradients&) = delete;
  virtual ~ShardGradients() = default;

  /// Local: the gradient of a block over one of the reduction's shard_sums(). @param sum [block.size()], overwritten
  virtual void form(const ParameterRange& block, std::size_t shard_sum, float* sum) const = 0;

  // Where hosts exchange activations, what this rank's shards' gradients are made of, as bytes. Local.

  [[nodiscard]] virtual std::size_t packed_size() const = 0;
  /// @param bytes [packed_size()], at a multiple of 64
  virtual void pack(std::span<std::byte> bytes) const = 0;
  /// From now on gradients are formed from these bytes, which are what `rank` has packed, and which stay as they are
  /// until share_parameters(). @param rank of another host
  virtual void take(int rank, std::span<std::byte> bytes) = 0;
};

class GradientReduction {
 public:
  GradientReduction() = default;
  GradientReduction(const GradientReduction&) = delete;
  GradientReduction& operator=(const GradientReduction&) = delete;
  virtual ~GradientReduction() = default;

  /// Local: the parameters. Others see what share_parameters() and set_parameters() share.
  [[nodiscard]] virtual std::span<const float> parameters() const = 0;
  /// Local: the blocks that this rank updates, in order, and the range that they are.
  [[nodiscard]] virtual std::span<const ParameterRange> my_blocks() const = 0;
  [[nodiscard]] virtual ParameterRange my_range() const = 0;
  /// Local: the sums over shards that a step asks for, in the order of the shards: over all, or over this host's.
  [[nodiscard]] virtual std::span<const ShardSum> shard_sums() const = 0;

  /// Collective: replaces the parameters; of each rank's `values` its my_range() counts. [parameters]
  virtual void set_parameters(std::span<const float> values) = 0;

  // A step, in this order.

  /// Collective, once this rank has the activations of its shards in place: from here on all ranks of the host may read
  /// them, until share_parameters(). Sends other hosts what they need of `gradients`, and waits for theirs.
  virtual void exchange(ShardGradients& gradients) = 0;
  /// Local: the gradient of one of my_blocks(), summed over all shards; the caller may use it up.
  /// @param gradients those of exchange()  @param room [block.size()] where the sum may be formed; what is returned
  /// stays until `room` is used again, or until the next exchange()
  [[nodiscard]] virtual std::span<float> sum(const ParameterRange& block, const ShardGradients& gradients,
                                             std::span<float> room) = 0;
  /// Local: the parameters of one of my_blocks(), whose sum has been formed: to be updated in place, then updated().
  [[nodiscard]] virtual std::span<float> to_update(const ParameterRange& block) = 0;
  /// Local: the values in to_update() are the block's new parameters.
  virtual void updated(const ParameterRange& block) = 0;
  /// Collective: every rank's new parameters are on their way to all. What needs no parameters can be done meanwhile;
  /// the activations may be overwritten.
  virtual void share_parameters() = 0;
  /// Collective: until they are there, where they are still on their way.
  virtual void await_parameters() = 0;

  /// Collective: each rank's values for its blocks, however many it has for one, come to all, in the blocks' order.
  /// @param all with room for exactly these
  virtual void all_gather(std::span<const double> of_my_blocks, std::span<double> all) const = 0;
  /// Collective: each rank's values for my_range() come to rank 0.
  /// @param all at rank 0 a value for every parameter, empty elsewhere; its memory is used again
  virtual void gather(std::span<const float> of_my_range, std::vector<float>& all) const = 0;
};

enum class ReductionKind { tree, mpi };
inline constexpr NamedValues<ReductionKind, 2> kReductions = {
    {{ReductionKind::tree, "tree"}, {ReductionKind::mpi, "mpi"}}};

enum class ExchangeKind { automatic, gradients, activations };
inline constexpr NamedValues<ExchangeKind, 3> kExchanges = {{{ExchangeKind::automatic, "auto"},
                                                             {ExchangeKind::gradients, "gradients"},
                                                             {ExchangeKind::activations, "activations"}}};

/// How hosts exchange what the tree's sums are made of.
struct HostExchange {
  ExchangeKind kind = ExchangeKind::gradients;  ///< not automatic
  std::size_t most_packed = 0;                  ///< activations: packed_size() is never larger, at any rank
};

/// Collective over `ranks`, which are numbered host by host (Communicator::numbered_by_host). @param host the ranks
/// that share memory with this one, usually ranks.split_by_host(); both communicators outlive the reduction
/// @param shards at least the number of ranks  @param blocks all parameters, in their order, without gaps
[[nodiscard]] std::unique_ptr<GradientReduction> make_tree_reduction(const Communicator& ranks,
                                                                     const Communicator& host, std::size_t shards,
                                                                     const std::vector<ParameterBlock>& blocks,
                                                                     const HostExchange& exchange);
[[nodiscard]] std::unique_ptr<GradientReduction> make_mpi_reduction(const Communicator& ranks, std::size_t shards,
                                                                    const std::vector<ParameterBlock>& blocks);

}  // namespace mnist_dist::comm
