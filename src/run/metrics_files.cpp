#include "mnist_dist/run/metrics_files.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
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

train::EpochMetrics epoch_from_json(const nlohmann::json& line) {
  return {.epoch = line.at("epoch").get<std::int64_t>(),
          .score = number_or_nan(line.at("score")),
          .loss = number_or_nan(line.at("loss")),
          .accuracy = number_or_nan(line.at("accuracy")),
          .seconds = number_or_nan(line.at("seconds")),
          .rows = line.at("rows").get<std::int64_t>(),
          .steps = line.at("steps").get<std::int64_t>()};
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

std::vector<train::EpochMetrics> history_from_jsonl(const std::string& text, const std::string& name) {
  std::vector<train::EpochMetrics> history;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto expected = static_cast<std::int64_t>(history.size()) + 1;
    try {
      history.push_back(epoch_from_json(nlohmann::json::parse(line)));
    } catch (const nlohmann::json::exception&) {
    }
    if (static_cast<std::int64_t>(history.size()) != expected || history.back().epoch != expected) {
      throw Error(ExitCode::bad_data,
                  fmt::format("{} is damaged: line {} is not that of epoch {}", name, expected, expected));
    }
  }
  return history;
}

}  // namespace mnist_dist::run
