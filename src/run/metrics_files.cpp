#include "mnist_dist/run/metrics_files.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace mnist_dist::run {
namespace {

std::string csv_field(double value) {
  return std::isnan(value) ? "" : fmt::format("{}", value);
}

}  // namespace

std::string metrics_csv(const std::vector<train::EpochMetrics>& history) {
  std::string text = "epoch,score,loss,accuracy,seconds,images_per_second\n";
  for (const train::EpochMetrics& epoch : history) {
    text += fmt::format("{},{},{},{},{:.6f},{:.1f}\n", epoch.epoch, csv_field(epoch.score), csv_field(epoch.loss),
                        csv_field(epoch.accuracy), epoch.seconds, epoch.images_per_second());
  }
  return text;
}

std::string metrics_jsonl(const std::vector<train::EpochMetrics>& history) {
  std::string text;
  const train::EpochMetrics* best = nullptr;
  for (const train::EpochMetrics& epoch : history) {
    const bool improved = best == nullptr || train::is_better(epoch, *best);
    if (improved) best = &epoch;
    const nlohmann::ordered_json line = {
        {"epoch", epoch.epoch},       {"score", epoch.score},     {"loss", epoch.loss},
        {"accuracy", epoch.accuracy}, {"seconds", epoch.seconds}, {"images_per_second", epoch.images_per_second()},
        {"rows", epoch.rows},         {"steps", epoch.steps},     {"best", improved}};
    text += line.dump() + "\n";
  }
  return text;
}

}  // namespace mnist_dist::run
