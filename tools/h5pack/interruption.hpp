// Ctrl-C and its like: the command in progress gives up at the next safe point and takes back what it began.
#pragma once

namespace mnist_dist::h5pack {

/// Thrown to give up; caught by main alone.
struct Interrupted {
  int signal_number;
};

/// From now on SIGINT, SIGTERM and SIGHUP are noted instead of ending the process, and a write beyond the allowed
/// file size fails instead of ending it.
void catch_interruptions();

/// @throws Interrupted once one of them has arrived
void throw_if_interrupted();

/// Ends the process by the signal that interrupted it, as its parent expects.
[[noreturn]] void end_by_signal(const Interrupted& interrupted);

}  // namespace mnist_dist::h5pack
