// Ctrl-C, SIGTERM and SIGUSR1 ask the program to stop at the next safe point. Local.
#pragma once

namespace mnist_dist {

/// From now on SIGINT, SIGTERM and SIGUSR1 set a flag instead of ending the process.
void catch_stop_signals();

/// Whether one of them has arrived.
[[nodiscard]] bool stop_requested() noexcept;

}  // namespace mnist_dist
