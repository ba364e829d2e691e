// A program that this one starts and waits for, and that gets the signals which ask this one to stop. Local.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace mnist_dist::cli {

/// Made once, before the first program is started: SIGINT, SIGTERM, SIGUSR1, SIGUSR2 and, where it is not ignored,
/// SIGHUP do not end this process any more.
class ChildPrograms {
 public:
  /// @throws Error (bug)
  ChildPrograms();
  ChildPrograms(const ChildPrograms&) = delete;
  ChildPrograms& operator=(const ChildPrograms&) = delete;

  /// Starts a program, found on the PATH, and waits for its end. The first stop signal reaches it as SIGUSR1, which
  /// mpirun hands on to ranks without hurrying them, and again every few seconds, since mpirun forgets it before the
  /// ranks are there; one that comes a second later or more, as SIGTERM, and after a while without effect SIGKILL.
  /// Should this process be killed, it gets a SIGTERM.
  /// @param limit after which the program, and what it has started, is killed
  /// @param printed gets what the program prints, which nobody else then sees
  /// @return its exit code; where a signal ended it, 128 and the signal's number
  /// @throws Error (file_system) when it cannot be started
  int run(const std::vector<std::string>& words, std::optional<std::chrono::seconds> limit = {},
          std::string* printed = nullptr);

  /// Waits, less long where a stop signal comes.
  void pause(std::chrono::milliseconds time);

  /// The first stop signal; 0 before it has come.
  [[nodiscard]] int stop_signal();

  /// Whether another one has ended a program.
  [[nodiscard]] bool was_hurried() const { return hurried_at_.has_value(); }

 private:
  using Clock = std::chrono::steady_clock;

  /// @param child gets a stop signal that is not the first one; 0 for nobody
  void wait_for_signals(std::chrono::milliseconds time, int child);

  int stop_signal_ = 0;
  Clock::time_point stopped_at_;
  std::optional<Clock::time_point> hurried_at_;
};

}  // namespace mnist_dist::cli
