// The reduction of gradients and the distribution of new parameters.
//
// The parameters are cut into blocks, and every rank owns some of them. In a step a rank asks for the gradients of its
// blocks, summed over all shards, updates the blocks, and then all get the new parameters. There are two reductions:
//
// The tree (make_tree_reduction) is an allreduce cut in two around the optimiser's step, with the sums in the order of
// the tree over the shards (core/sum_tree.hpp), so that they have the same bits for any number of ranks and hosts:
//   1. between hosts, each host's sums over a range go to its owner (reduce-scatter);
//   2. the owner adds them to the end, or on a single host forms them itself, from the activations that its ranks
//      left in shared memory: nobody writes, sends or reads a whole gradient;
//   3. the owner updates its range, and all get the new parameters (all-gather); there is one copy of them per host.
// Between hosts, one rank per range sends its host's sums and receives the new parameters, so each host sends the
// parameter vector once per step in each direction and other host, whatever the number of its ranks.
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
  double cost = 0;  ///< of its gradient and update, in any unit; ranks get equal shares of the cost
};

/// Shards of this host whose gradients have one sum: a node of the tree.
struct ShardSum {
  struct Shard {
    std::size_t shard = 0;
    int host_rank = 0;  ///< which rank of this host has its activations
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
  /// Local: the sums over this host's shards that a step asks for, in the order of the shards.
  [[nodiscard]] virtual std::span<const ShardSum> shard_sums() const = 0;

  /// Collective: replaces the parameters by `values`, which all ranks pass alike. [parameters]
  virtual void set_parameters(std::span<const float> values) = 0;

  // A step, in this order.

  /// Collective, once this rank has the activations of its shards in place: from here on all ranks of the host may read
  /// them, until share_parameters(). Sends other hosts what they need of `gradients`, and waits for theirs.
  virtual void exchange(const ShardGradients& gradients) = 0;
  /// Local: the gradient of one of my_blocks(), summed over all shards; the caller may use it up.
  /// @param gradients those of exchange()  @param room [block.size()] where the sum may be formed; what is returned
  /// stays until `room` is used again, or until the next exchange()
  [[nodiscard]] virtual std::span<float> sum(const ParameterRange& block, const ShardGradients& gradients,
                                             std::span<float> room) = 0;
  /// Local: the parameters of one of my_blocks(), whose sum has been formed: to be updated in place, then updated().
  [[nodiscard]] virtual std::span<float> to_update(const ParameterRange& block) = 0;
  /// Local: the values in to_update() are the block's new parameters.
  virtual void updated(const ParameterRange& block) = 0;
  /// Collective: every rank's new parameters come to all.
  virtual void share_parameters() = 0;

  /// Collective: each rank's values for my_range() come to rank 0.
  /// @param all at rank 0 a value for every parameter, empty elsewhere; its memory is used again
  virtual void gather(std::span<const float> of_my_range, std::vector<float>& all) const = 0;
};

enum class ReductionKind { tree, mpi };
inline constexpr NamedValues<ReductionKind, 2> kReductions = {
    {{ReductionKind::tree, "tree"}, {ReductionKind::mpi, "mpi"}}};

/// Collective over `ranks`. @param host the ranks that share memory with this one, usually ranks.split_by_host(); both
/// communicators outlive the reduction  @param shards at least the number of ranks
/// @param blocks all parameters, in their order, without gaps
[[nodiscard]] std::unique_ptr<GradientReduction> make_tree_reduction(const Communicator& ranks,
                                                                     const Communicator& host, std::size_t shards,
                                                                     const std::vector<ParameterBlock>& blocks);
[[nodiscard]] std::unique_ptr<GradientReduction> make_mpi_reduction(const Communicator& ranks, const Communicator& host,
                                                                    std::size_t shards,
                                                                    const std::vector<ParameterBlock>& blocks);

}  // namespace mnist_dist::comm
