#include "interruption.hpp"

#include <csignal>
#include <cstdlib>
#include <initializer_list>

namespace mnist_dist::h5pack {
namespace {

volatile std::sig_atomic_t noted_signal = 0;

extern "C" void note_signal(int signal_number) {
  noted_signal = signal_number;
}

}  // namespace

void catch_interruptions() {
  struct sigaction action {};
  action.sa_handler = note_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal_number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    sigaction(signal_number, nullptr, &before);
    // nohup and the shell's background jobs ask for some of them to be ignored.
    if (before.sa_handler != SIG_IGN) sigaction(signal_number, &action, nullptr);
  }
  // A file that grows beyond `ulimit -f` is then an error like a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
}

void throw_if_interrupted() {
  if (noted_signal != 0) throw Interrupted{noted_signal};
}

void end_by_signal(const Interrupted& interrupted) {
  std::signal(interrupted.signal_number, SIG_DFL);
  std::raise(interrupted.signal_number);
  std::_Exit(128 + interrupted.signal_number);
}

}  // namespace mnist_dist::h5pack
