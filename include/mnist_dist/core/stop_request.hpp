// Ctrl-C, SIGTERM, SIGHUP, SIGUSR1 and SIGUSR2 ask the program to stop at the next safe point. Local.
#pragma once

namespace mnist_dist {

/// From now on SIGINT, SIGTERM, SIGUSR1, SIGUSR2 and, where it is not ignored, SIGHUP set a flag instead of ending the
/// process.
void catch_stop_signals();

/// Whether one of them has arrived.
[[nodiscard]] bool stop_requested() noexcept;

}  // namespace mnist_dist
