// The reduction of gradients and the distribution of new parameters.
//
// The parameters are cut into blocks. In each step a reduction asks for the gradient of blocks over some shards'
// microbatches, has it summed over all shards, and hands the sum to the optimiser; afterwards all ranks have the new
// parameters. There are two:
//
// The tree (make_tree_reduction) is an allreduce cut in two around the optimiser's step, with the sums in the order of the
// tree over the shards (core/sum_tree.hpp), so that they have the same bits for any number of ranks and hosts. Every rank owns a range of the
// parameters, and updates it alone:
//   1. within a host, the owner of a range forms the range's gradient over the microbatches of all ranks of the host, from
//      the activations that they left in shared memory: nobody writes, sends or reads a whole gradient;
//   2. between hosts, each host's sums over a range go to its owner, who finishes the tree (reduce-scatter);
//   3. the owner updates its range, block by block, while the sums are in its cache;
//   4. all get the new parameters (all-gather); there is one copy of them per host.
// Between hosts, one rank per range sends its host's sums and receives the new parameters, so each host sends the
// parameter vector once per step in each direction and other host, whatever the number of its ranks.
//
// MPI's (make_mpi_reduction) is the plain MPI_Allreduce of every rank's gradient; each rank has a copy of the parameters
// and updates all of it. It is the yardstick. Its sums depend on the number of ranks and on MPI's algorithms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/core/parameter_range.hpp"

namespace mnist_dist::comm {

/// A piece of the parameters that is summed and updated at once.
struct ParameterBlock {
  ParameterRange range;
  double cost = 0;  ///< of its gradient and update, in any unit; ranks get equal shares of the cost
};

/// A shard whose microbatch belongs to the sums that this rank forms.
struct SummedShard {
  std::size_t shard = 0;
  int host_rank = 0;        ///< which rank of this host has its activations
  std::uint8_t merges = 0;  ///< how often the last two sums are added after this one
};

/// Ranks of a host that have one copy of the parameters together and share the work of a step: a block of the host's ranks,
/// all of them or one alone.
struct Team {
  std::size_t first_host_rank = 0;
  std::size_t size = 1;
  std::size_t place = 0;  ///< this rank's, from 0
};

class GradientReduction {
 public:
  GradientReduction() = default;
  GradientReduction(const GradientReduction&) = delete;
  GradientReduction& operator=(const GradientReduction&) = delete;
  virtual ~GradientReduction() = default;

  /// Local: the parameters. They change within reduce_and_update() and set_parameters() alone.
  [[nodiscard]] virtual std::span<const float> parameters() const = 0;
  /// Local: the range that this rank updates.
  [[nodiscard]] virtual ParameterRange my_range() const = 0;
  /// Local: the ranks with which this one shares work.
  [[nodiscard]] virtual Team team() const = 0;
  /// Collective over the team of more than one, with no effect for one alone: returns once all have called it, and what they
  /// wrote before can be read by all.
  virtual void wait_for_team() = 0;
  /// Local: the shards over which this rank forms gradients, in order.
  [[nodiscard]] virtual std::span<const SummedShard> summed_shards() const = 0;

  /// Collective: replaces the parameters by `values`, which all ranks pass alike. [parameters]
  virtual void set_parameters(std::span<const float> values) = 0;

  /// Writes the gradient of one block, summed over summed_shards() as far as their merges go.
  /// @param sums [block.size()] each, one for each sum that is left
  using Gradient = std::function<void(ParameterRange block, std::span<float* const> sums)>;
  /// Updates one block of the parameters. @param block where it lies in the parameter vector, within my_range()
  /// @param gradient the sum over all shards, to be used up  @param parameters to be updated
  using Update = std::function<void(ParameterRange block, std::span<float> gradient, std::span<float> parameters)>;

  /// Sees the whole gradient of my_range() before the first update; may communicate. @param blocks this rank's, in order
  /// @param gradient [my_range().size()]
  using BeforeUpdate = std::function<void(std::span<const ParameterRange> blocks, std::span<const float> gradient)>;

  /// Collective, once every rank has the activations of its shards in place: forms and sums the gradients, lets `update`
  /// change this rank's range, and makes the new parameters visible to all ranks. Activations may be read by all ranks of
  /// the host until it returns; afterwards only as the team agrees on. @param before_update empty where nothing needs it: a block is
  /// then updated while its sum is in the cache
  virtual void reduce_and_update(const Gradient& gradient, const Update& update,
                                 const BeforeUpdate& before_update = {}) = 0;

  /// Collective: a value for every parameter at rank 0, from each rank's values for my_range(); empty elsewhere.
  [[nodiscard]] virtual std::vector<float> gather(std::span<const float> of_my_range) const = 0;
};

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
