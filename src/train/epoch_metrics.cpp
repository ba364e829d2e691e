#include "mnist_dist/train/epoch_metrics.hpp"

#include <cmath>

namespace mnist_dist::train {

bool is_better(const EpochMetrics& epoch, const EpochMetrics& best) {
  return std::isnan(epoch.score) || epoch.score > best.score;
}

std::int64_t best_epoch(const std::vector<EpochMetrics>& history) {
  const EpochMetrics* best = nullptr;
  for (const EpochMetrics& epoch : history) {
    if (best == nullptr || is_better(epoch, *best)) best = &epoch;
  }
  return best == nullptr ? 0 : best->epoch;
}

double total_seconds(const std::vector<EpochMetrics>& history) {
  double sum = 0;
  for (const EpochMetrics& epoch : history) sum += epoch.seconds;
  return sum;
}

}  // namespace mnist_dist::train
