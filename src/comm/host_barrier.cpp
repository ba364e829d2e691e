#include "host_barrier.hpp"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>

namespace mnist_dist::comm {
namespace {

// About 0.1 ms: longer than the ranks of a host differ in a step, shorter than a time slice.
constexpr int kSpins = 4000;
// Where ranks share cores, each yield lets another one compute: cheaper than being put to sleep and woken, as long as
// the others are nearly done.
constexpr int kYields = 40;

void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// std::atomic::wait sleeps on a futex that is private to the process; ranks are processes.
void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected) {
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAIT, expected, nullptr, nullptr, 0);
}

void futex_wake_all(std::atomic<std::uint32_t>& word) {
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace

void HostBarrier::wait(Wait what) {
  const Waiting waiting(what);
  const std::uint32_t generation = state_->generation.load(std::memory_order_acquire);
  if (state_->arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == ranks_) {
    state_->arrived.store(0, std::memory_order_relaxed);
    // Sequentially consistent with `sleepers`: either this rank sees the sleeper, or the sleeper sees the
    // generation.
    state_->generation.store(generation + 1);
    if (state_->sleepers.load() > 0) futex_wake_all(state_->generation);
    return;
  }
  if (may_spin_) {
    spin(generation);
  } else {
    let_others_run(generation);
  }
  if (state_->generation.load(std::memory_order_acquire) == generation) sleep(generation);
}

void HostBarrier::spin(std::uint32_t generation) const {
  for (int i = 0; i < kSpins; ++i) {
    if (state_->generation.load(std::memory_order_acquire) != generation) return;
    pause_briefly();
  }
}

void HostBarrier::let_others_run(std::uint32_t generation) const {
  for (int i = 0; i < kYields; ++i) {
    if (state_->generation.load(std::memory_order_acquire) != generation) return;
    sched_yield();
  }
}

void HostBarrier::sleep(std::uint32_t generation) {
  state_->sleepers.fetch_add(1);
  while (state_->generation.load() == generation) futex_wait(state_->generation, generation);
  state_->sleepers.fetch_sub(1);
}

}  // namespace mnist_dist::comm
