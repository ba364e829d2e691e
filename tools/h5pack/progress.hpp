// How far a command has come: a bar on a terminal, a line now and then elsewhere. On standard error.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace mnist_dist::h5pack {

/// Shows the progress of one command. Local.
class Progress {
 public:
  /// @param doing what is being done, such as "packing"
  explicit Progress(std::string doing);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Takes the bar away.
  ~Progress();

  /// Shows `done` of `total` images, unless it has just shown something. @throws Interrupted after Ctrl-C
  void update(std::size_t done, std::size_t total);
  /// A warning between the updates.
  void warn(const std::string& message);

 private:
  using Clock = std::chrono::steady_clock;
  void clear_bar();

  std::string doing_;
  bool on_terminal_;
  bool bar_is_shown_ = false;
  Clock::time_point last_;
};

}  // namespace mnist_dist::h5pack
