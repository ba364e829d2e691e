#include "mnist_dist/train/stop_conditions.hpp"

#include <fmt/format.h>

#include <cmath>

namespace mnist_dist::train {

std::optional<std::string> stop_reason(const std::vector<EpochMetrics>& history, const Settings& settings) {
  if (history.empty()) return std::nullopt;
  const EpochMetrics& last = history.back();
  const std::int64_t best = best_epoch(history);
  if (last.epoch - best >= static_cast<std::int64_t>(settings.window)) {
    return fmt::format("the score has not improved for {} epochs (--window)", last.epoch - best);
  }
  if (history.size() >= 2) {
    const double change = std::fabs(last.loss - history[history.size() - 2].loss);
    if (change < settings.min_change) {
      return fmt::format("the loss changed by {:.2g}, less than {} (--min-change)", change, settings.min_change);
    }
  }
  if (last.epoch >= static_cast<std::int64_t>(settings.epochs)) {
    return fmt::format("{} epochs are done (--epochs)", last.epoch);
  }
  return std::nullopt;
}

}  // namespace mnist_dist::train
