// The reduction of gradients and the distribution of new parameters: an allreduce cut in two around the
// optimiser's step, with the sums in the order of the shard tree.
//
// Every rank owns a range of the parameters. In each step
//   1. each rank writes the gradients of its shards, added as far as the tree allows;
//   2. the owner of a range collects the sums of all ranks over its range and finishes the tree (reduce-scatter);
//   3. it updates the parameters of its range, with whatever optimiser, block by block, while the sums are in its cache;
//   4. all get the new parameters (all-gather).
// Ranks of one host share memory: there is one copy of the parameters per host, and gradients are read where
// they were written. Between hosts, one rank per range sends its host's sums and receives the new parameters,
// so each host sends the parameter vector once per step in each direction and other host, whatever the number
// of its ranks.
//
// Who may touch what: parameters() is read by all ranks of the host except within reduce_and_update(), where each rank
// may write my_range() of it. gradients() belong to the caller except within reduce_and_update().
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/core/parameter_range.hpp"

namespace mnist_dist::comm {

class GradientReduction {
 public:
  /// Collective over `ranks`. @param host the ranks that share memory with this one, usually
  /// ranks.split_by_host(); both communicators outlive this object  @param shards at least the number of
  /// ranks
  /// @param parameter_count the size of the parameter vector
  GradientReduction(const Communicator& ranks, const Communicator& host, std::size_t shards,
                    std::size_t parameter_count);
  GradientReduction(const GradientReduction&) = delete;
  GradientReduction& operator=(const GradientReduction&) = delete;
  ~GradientReduction();

  /// Local: the host's one copy of the parameters.
  [[nodiscard]] std::span<const float> parameters() const;
  /// Local: the range that this rank owns.
  [[nodiscard]] ParameterRange my_range() const;

  /// Collective: replaces the parameters by `values`, which all ranks pass alike. [parameter_count]
  void set_parameters(std::span<const float> values);

  /// Local: how the gradients of this rank's shards are to be added, and where the sums are to be written: one vector
  /// [parameter_count] for each result.
  [[nodiscard]] std::span<const std::uint8_t> merges() const;
  [[nodiscard]] std::span<float* const> gradients();

  /// Updates one block of the parameters. @param block where it lies in the parameter vector, within my_range()
  /// @param gradient the sum over all shards, to be used up  @param parameters to be updated
  using Update = std::function<void(ParameterRange block, std::span<float> gradient, std::span<float> parameters)>;

  /// Collective, once every rank has written its gradients(): sums them, lets `update` change this rank's range, and
  /// makes the new parameters visible to all ranks.
  void reduce_and_update(const Update& update);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mnist_dist::comm
