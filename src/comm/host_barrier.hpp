// A barrier for the ranks of one host, over memory that they share: it spins while that is quicker and sleeps
// in the kernel when it is not, so that a waiting rank burns no core.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "hang_watch.hpp"

namespace mnist_dist::comm {

class HostBarrier {
 public:
  /// What lies in the shared memory; all zero at first.
  struct State {
    alignas(64) std::atomic<std::uint32_t> arrived;
    alignas(64) std::atomic<std::uint32_t> generation;
    alignas(64) std::atomic<std::uint32_t> sleepers;
  };
  static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

  /// @param state shared by the ranks of the host; outlives the barrier
  /// @param ranks the ranks of the host
  /// @param may_spin whether each of them has a core of its own
  HostBarrier(State* state, int ranks, bool may_spin)
      : state_(state), ranks_(static_cast<std::uint32_t>(ranks)), may_spin_(may_spin) {}

  /// Collective over the host: what any rank wrote to shared memory before is visible to all ranks
  /// afterwards. @param what what it waits for, to be named where a rank does not come
  void wait(Wait what);

 private:
  void spin(std::uint32_t generation) const;
  void let_others_run(std::uint32_t generation) const;
  void sleep(std::uint32_t generation);

  State* state_;
  std::uint32_t ranks_;
  bool may_spin_;
};

}  // namespace mnist_dist::comm
