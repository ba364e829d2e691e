#include "mnist_dist/core/stop_request.hpp"

#include <csignal>
#include <initializer_list>

namespace mnist_dist {
namespace {

volatile std::sig_atomic_t stop_flag = 0;

extern "C" void note_stop_signal(int /*signal*/) {
  stop_flag = 1;
}

}  // namespace

void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = note_stop_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) sigaction(signal, &action, nullptr);
}

bool stop_requested() noexcept {
  return stop_flag != 0;
}

}  // namespace mnist_dist
