#include "mnist_dist/train/metrics.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <span>

namespace mnist_dist::train {
namespace {

std::string csv_field(double value) {
  return std::isnan(value) ? "" : fmt::format("{}", value);
}

bool is_better(const EpochMetrics& candidate, const EpochMetrics& best) {
  return std::isnan(candidate.score) || candidate.score > best.score;
}

}  // namespace

std::int64_t best_epoch(const std::vector<EpochMetrics>& history) {
  const EpochMetrics* best = nullptr;
  for (const EpochMetrics& epoch : history) {
    if (best == nullptr || is_better(epoch, *best)) best = &epoch;
  }
  return best == nullptr ? 0 : best->epoch;
}

std::string metrics_csv(const std::vector<EpochMetrics>& history) {
  std::string text = "epoch,score,loss,accuracy,seconds,images_per_second\n";
  for (const EpochMetrics& epoch : history) {
    text += fmt::format("{},{},{},{},{:.6f},{:.1f}\n", epoch.epoch, csv_field(epoch.score), csv_field(epoch.loss),
                        csv_field(epoch.accuracy), epoch.seconds, epoch.images_per_second());
  }
  return text;
}

std::string metrics_jsonl(const std::vector<EpochMetrics>& history) {
  std::string text;
  const EpochMetrics* best = nullptr;
  for (const EpochMetrics& epoch : history) {
    const bool improved = best == nullptr || is_better(epoch, *best);
    if (improved) best = &epoch;
    const nlohmann::ordered_json line = {
        {"epoch", epoch.epoch},       {"score", epoch.score},     {"loss", epoch.loss},
        {"accuracy", epoch.accuracy}, {"seconds", epoch.seconds}, {"images_per_second", epoch.images_per_second()},
        {"rows", epoch.rows},         {"steps", epoch.steps},     {"best", improved}};
    text += line.dump() + "\n";
  }
  return text;
}

}  // namespace mnist_dist::train
