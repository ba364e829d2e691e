// The files metrics.csv and metrics.jsonl: a line for each epoch. Local.
#pragma once

#include <string>
#include <vector>

#include "mnist_dist/train/epoch_metrics.hpp"

namespace mnist_dist::run {

/// metrics.csv: epoch,score,loss,accuracy,seconds,images_per_second. A NaN is an empty field.
[[nodiscard]] std::string metrics_csv(const std::vector<train::EpochMetrics>& history);

/// metrics.jsonl: an object per line with the same and rows, steps and whether the epoch was the best so far. A NaN is
/// null.
[[nodiscard]] std::string metrics_jsonl(const std::vector<train::EpochMetrics>& history);

/// What metrics_jsonl() was made from. @param name what errors call the text
/// @throws Error (bad_data) when it is something else
[[nodiscard]] std::vector<train::EpochMetrics> history_from_jsonl(const std::string& text, const std::string& name);

}  // namespace mnist_dist::run
