#include "progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "interruption.hpp"
#include "mnist_dist/core/log.hpp"

namespace mnist_dist::h5pack {
namespace {

constexpr std::chrono::milliseconds kBetweenBars{100};
constexpr std::chrono::milliseconds kBetweenLines{5000};
constexpr std::size_t kBarWidth = 40;

}  // namespace

Progress::Progress(std::string doing)
    : doing_(std::move(doing)), on_terminal_(isatty(STDERR_FILENO) != 0), last_(Clock::now()) {}

Progress::~Progress() {
  clear_bar();
}

void Progress::update(std::size_t done, std::size_t total) {
  throw_if_interrupted();
  const Clock::time_point now = Clock::now();
  if (now - last_ < (on_terminal_ ? kBetweenBars : kBetweenLines)) return;
  last_ = now;
  const double share = total == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(total);
  if (!on_terminal_) {
    fmt::print(stderr, "h5pack: {}: {} of {} images ({:.0f}%)\n", doing_, done, total, 100 * share);
    return;
  }
  const auto filled = static_cast<std::size_t>(share * kBarWidth);
  fmt::print(stderr, "\r{} [{:<{}}] {} of {} images", doing_, std::string(filled, '#'), kBarWidth, done, total);
  std::fflush(stderr);
  bar_is_shown_ = true;
}

void Progress::warn(const std::string& message) {
  clear_bar();
  log_warning(message);
}

void Progress::clear_bar() {
  if (!std::exchange(bar_is_shown_, false)) return;
  constexpr const char* kEraseLine = "\r\x1b[K";
  std::fputs(kEraseLine, stderr);
  std::fflush(stderr);
}

}  // namespace mnist_dist::h5pack
