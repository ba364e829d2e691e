// What is written down about each epoch. Local.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mnist_dist::train {

/// One finished epoch.
struct EpochMetrics {
  std::int64_t epoch = 0;  ///< from 1
  double score = 0;        ///< macro F beta on the holdout; NaN without a holdout
  double loss = 0;         ///< mean over the training rows of the softmax cross-entropy, dropout on
  double accuracy = 0;     ///< share of the holdout predicted right; NaN without a holdout
  double seconds = 0;      ///< training and scoring
  std::int64_t rows = 0;   ///< training rows
  std::int64_t steps = 0;  ///< steps since the start of the run
  [[nodiscard]] double images_per_second() const { return static_cast<double>(rows) / seconds; }
};

/// The number (from 1) of the epoch with the best score, the first of equals; 0 when there is none. Without a holdout:
/// the last epoch.
[[nodiscard]] std::int64_t best_epoch(const std::vector<EpochMetrics>& history);

/// metrics.csv: epoch,score,loss,accuracy,seconds,images_per_second. A NaN is an empty field.
[[nodiscard]] std::string metrics_csv(const std::vector<EpochMetrics>& history);

/// metrics.jsonl: an object per line with the same and rows, steps and whether the epoch was the best so far. A NaN is null.
[[nodiscard]] std::string metrics_jsonl(const std::vector<EpochMetrics>& history);

}  // namespace mnist_dist::train
