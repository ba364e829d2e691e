// What hosts send each other in a step: each host's sums over a range to the range's owner, and the range's new
// parameters back. One rank per host and range does it. On a single host there is nothing to do.
#pragma once

#include <mpi.h>

#include <cstddef>
#include <span>
#include <vector>

#include "block_owners.hpp"
#include "hosts.hpp"
#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/core/sum_tree.hpp"

namespace mnist_dist::comm {

class HostExchange {
 public:
  /// @param hosts all hosts  @param mine the place of this rank's host among them. All arguments but `tree` outlive
  /// this.
  HostExchange(const Communicator& ranks, const std::vector<Host>& hosts, std::size_t mine, const SumTree& tree,
               const BlockOwners& owners);
  HostExchange(const HostExchange&) = delete;
  HostExchange& operator=(const HostExchange&) = delete;
  ~HostExchange() = default;

  [[nodiscard]] bool is_needed() const { return hosts_.size() > 1; }
  /// Ranks of other hosts for whose ranges this rank sends its host's sums.
  [[nodiscard]] std::span<const int> remote_owners() const { return remote_owners_; }

  // A step, in this order. Local, but for wait(), which waits for what other hosts send.
  void expect_sums();
  /// Where this host's sums over a block belong: a block of a remote owner, or one of this rank's.
  [[nodiscard]] std::vector<float*> places(int owner, const ParameterRange& block);
  /// Sends a remote owner the sums that are in its places.
  void send_sums(int owner);
  void wait();
  /// The sum over all hosts of one of this rank's blocks.
  void finish(const ParameterRange& block, float* sum) const;

  /// Collective: every rank's range of `parameters` comes to every host.
  void gather(float* parameters);

 private:
  [[nodiscard]] std::size_t sums_of_my_host() const { return hosts_[mine_].sums.size(); }
  void plan_last_additions(const SumTree& tree);

  const Communicator& ranks_;
  const std::vector<Host>& hosts_;
  std::size_t mine_;
  const BlockOwners& owners_;
  ParameterRange range_;
  std::vector<int> remote_owners_;
  std::vector<std::size_t> outgoing_first_;  // by remote owner
  std::vector<float> outgoing_;              // my host's sums over their ranges
  std::vector<float> incoming_;              // the other hosts' sums over my range
  std::vector<float> my_host_sums_;          // over my range
  AdditionPlan last_additions_;              // of all hosts' sums over my range
  std::vector<const float*> last_inputs_;    // each at the beginning of my range
  std::vector<MPI_Request> requests_;
};

}  // namespace mnist_dist::comm
