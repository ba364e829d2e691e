#include "mnist_dist/run/metrics_files.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "mnist_dist/core/error.hpp"

namespace mnist_dist::run {
namespace {

std::string csv_field(double value) {
  return std::isnan(value) ? "" : fmt::format("{}", value);
}

double number_or_nan(const nlohmann::json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
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

std::vector<train::EpochMetrics> parse_metrics_jsonl(const std::string& text, const std::string& name) {
  std::vector<train::EpochMetrics> history;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    try {
      const nlohmann::json row = nlohmann::json::parse(line);
      history.push_back({.epoch = row.at("epoch").get<std::int64_t>(),
                         .score = number_or_nan(row.at("score")),
                         .loss = number_or_nan(row.at("loss")),
                         .accuracy = number_or_nan(row.at("accuracy")),
                         .seconds = row.at("seconds").get<double>(),
                         .rows = row.at("rows").get<std::int64_t>(),
                         .steps = row.at("steps").get<std::int64_t>()});
    } catch (const nlohmann::json::exception&) {
      throw Error(ExitCode::bad_data,
                  fmt::format("{}, line {}: not the metrics of an epoch", printable(name), history.size() + 1));
    }
  }
  return history;
}

}  // namespace mnist_dist::run
