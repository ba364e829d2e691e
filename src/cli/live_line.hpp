// What a terminal shows of an epoch while it goes on: one line, which is written again and again. Local.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "mnist_dist/train/trainer.hpp"

namespace mnist_dist::cli {

/// Seconds as "1:02:03" or "2:03".
[[nodiscard]] std::string as_time(double seconds);

class LiveLine {
 public:
  /// @param columns of the terminal  @param last_epoch of the run, if nothing else ends it
  LiveLine(std::size_t columns, std::uint64_t last_epoch) : columns_(columns), last_epoch_(last_epoch) {}

  /// After a step: writes the line, where the last time is long enough ago.
  void show(const train::Trainer& trainer);

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] std::string text(const train::EpochProgress& now, double seconds) const;

  std::size_t columns_;
  std::uint64_t last_epoch_;
  Clock::time_point shown_ = Clock::now();
  train::EpochProgress begin_;        // where the epoch, or this program's part of it, was first seen
  Clock::time_point began_ = shown_;  // and when
};

}  // namespace mnist_dist::cli
