#include "mnist_dist/train/stop_conditions.hpp"

#include <fmt/format.h>

#include <cmath>

#include "mnist_dist/core/counted.hpp"

namespace mnist_dist::train {
namespace {

/// The last change of the loss, if it and the one before are both small. One alone says little: with dropout, a loss
/// that still falls goes up and down by more than that, and now and then it happens to meet its last value.
std::optional<double> small_change(const std::vector<EpochMetrics>& history, double min_change) {
  if (history.size() < 3) return std::nullopt;
  const auto change = [&](std::size_t from_last) {
    const std::size_t index = history.size() - 1 - from_last;
    return std::fabs(history[index].loss - history[index - 1].loss);
  };
  if (change(0) >= min_change || change(1) >= min_change) return std::nullopt;
  return change(0);
}

}  // namespace

std::optional<std::string> stop_reason(const std::vector<EpochMetrics>& history, const Settings& settings) {
  if (history.empty()) return std::nullopt;
  const EpochMetrics& last = history.back();
  const std::int64_t best = best_epoch(history);
  if (last.epoch - best >= static_cast<std::int64_t>(settings.window)) {
    return fmt::format("the score has not improved for {} (--window)", counted(last.epoch - best, "epoch"));
  }
  if (const auto change = small_change(history, settings.min_change)) {
    return fmt::format("the loss changed by {:.2g}, twice in a row less than {} (--min-change)", *change,
                       settings.min_change);
  }
  if (last.epoch >= static_cast<std::int64_t>(settings.epochs)) {
    return fmt::format("{} done (--epochs)", counted(last.epoch, "epoch"));
  }
  return std::nullopt;
}

}  // namespace mnist_dist::train
