// The watch over ranks that wait for others in vain.
//
// A rank that waits in MPI, or in the barrier of its host, hears nothing: if the rank that it waits for is stopped, it
// waits for ever. So each rank has a second thread, the watcher. Twice a second it shows the other ranks of its host
// that it lives (a process that was stopped cannot), and looks at how long its own rank has been in the same wait and
// at what the others show. One limit, --hang-timeout, decides:
//   - A rank of this host gives no sign of life for as long as the limit, and this rank waits for as long: the process
//     is stopped or dead, so this rank names it and ends the job.
//   - It lives and does not wait: it is busy, with a slow file system or a large step. It may be so for ten times the
//     limit; or once the limit, if the program was asked to stop as long ago.
//   - All ranks of this host live and wait: then a rank on another host is missing. Nobody here can see whether it is
//     busy, so that takes ten times the limit, too. If it is stopped, the ranks on its own host end the job long
//     before, unless it is alone there. The same holds before the ranks of a host see each other, while MPI starts.
// Time is counted in looks, not by the clock: where a whole job is stopped for a night and goes on, no rank has waited.
#pragma once

#include <atomic>
#include <cstdint>

#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/core/named_values.hpp"

namespace mnist_dist::comm {

/// What ranks wait in.
enum class Wait : std::uint8_t {
  none,
  start,
  shared_memory,
  failures,
  stop_question,
  barrier,
  sum,
  gathering,
  broadcast,
  gradients,
  parameters,
  link,
  end,
};
inline constexpr NamedValues<Wait, 13> kWaits = {{
    {Wait::none, "no wait"},
    {Wait::start, "the start of MPI"},
    {Wait::shared_memory, "the allocation of shared memory"},
    {Wait::failures, "the check whether a rank has failed"},
    {Wait::stop_question, "the check whether to stop"},
    {Wait::barrier, "a barrier"},
    {Wait::sum, "a sum over the ranks"},
    {Wait::gathering, "a gathering of values"},
    {Wait::broadcast, "a broadcast"},
    {Wait::gradients, "the exchange of gradients"},
    {Wait::parameters, "the exchange of parameters"},
    {Wait::link, "the measurement of a link"},
    {Wait::end, "the end of MPI"},
}};

/// What a rank shows the others of its host; all zero at first. Its own thread and its watcher write, in a cache line
/// of its own.
struct alignas(64) RankSign {
  std::atomic<std::uint64_t> wait;   ///< 256 times the number of changes, plus the Wait
  std::atomic<std::uint64_t> beats;  ///< a sign of life: the looks of its watcher

  [[nodiscard]] static Wait wait_of(std::uint64_t word) { return static_cast<Wait>(word & 0xff); }
  /// @return the wait before
  Wait show(Wait next) {
    const std::uint64_t before = wait.load(std::memory_order_relaxed);
    wait.store((before & ~std::uint64_t{0xff}) + 0x100 + static_cast<std::uint64_t>(next), std::memory_order_relaxed);
    return wait_of(before);
  }
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

/// This rank's sign; the main thread's.
extern RankSign* my_sign;

/// Stands around everything that blocks until other ranks come: a few instructions, and no look at the clock. Where two
/// are nested, the outer one's name counts.
class Waiting {
 public:
  explicit Waiting(Wait wait) : before_(my_sign->show(wait)) {
    if (before_ != Wait::none) my_sign->show(before_);
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() { my_sign->show(before_); }

 private:
  Wait before_;
};

/// Local, before MPI starts: from now on waits are watched. @param limit seconds; 0 for ever
void start_hang_watch(int limit);
/// Collective over all ranks of the job: from now on the ranks of a host see each other's signs.
void share_signs(const Communicator& world);
/// Local, before MPI ends, which takes the signs' memory away.
void unshare_signs();

}  // namespace mnist_dist::comm
