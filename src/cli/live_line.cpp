#include "live_line.hpp"

#include <fmt/format.h>

#include <cmath>

#include "mnist_dist/core/output.hpp"

namespace mnist_dist::cli {
namespace {

constexpr std::chrono::milliseconds kPause(100);

}  // namespace

std::string as_time(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::lround(seconds));
  return whole >= 3600 ? fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
                       : fmt::format("{}:{:02}", whole / 60, whole % 60);
}

void LiveLine::show(const train::Trainer& trainer) {
  const Clock::time_point time = Clock::now();
  if (trainer.epoch() != begin_.epoch) {
    begin_ = trainer.progress();
    began_ = time;
    return;
  }
  if (time - shown_ < kPause) return;
  shown_ = time;
  show_live_line(
      text(trainer.progress(), std::chrono::duration<double>(time - began_).count()).substr(0, columns_ - 1));
}

std::string LiveLine::text(const train::EpochProgress& now, double seconds) const {
  const double seconds_of_step = seconds / static_cast<double>(now.steps_done - begin_.steps_done);
  const auto seconds_of = [&](std::uint64_t steps) { return seconds_of_step * static_cast<double>(steps); };
  const double left = seconds_of(now.steps - now.steps_done);
  const double left_of_run = left + seconds_of(now.steps) * static_cast<double>(last_epoch_ - now.epoch);
  return fmt::format(
      "epoch {}, step {}/{}: loss {:.4f}, {:.0f} images/s, left {}, in all {}", now.epoch, now.steps_done, now.steps,
      now.loss, static_cast<double>(now.rows_done - begin_.rows_done) / seconds, as_time(left), as_time(left_of_run));
}

}  // namespace mnist_dist::cli
