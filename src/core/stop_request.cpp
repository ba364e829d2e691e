#include "mnist_dist/core/stop_request.hpp"

#include <atomic>
#include <csignal>
#include <initializer_list>

namespace mnist_dist {
namespace {

// The handler may run in any thread.
std::atomic<bool> stop_flag = false;
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void note_stop_signal(int /*signal*/) {
  stop_flag = true;
}

}  // namespace

void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = note_stop_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2}) sigaction(signal, &action, nullptr);
  struct sigaction before {};
  sigaction(SIGHUP, nullptr, &before);
  if (before.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);  // nohup has it ignored
}

bool stop_requested() noexcept {
  return stop_flag;
}

}  // namespace mnist_dist
