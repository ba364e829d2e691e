// What is known of a finished epoch. Local.
#pragma once

#include <cstdint>
#include <vector>

namespace mnist_dist::train {

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

/// Whether an epoch's parameters are to be kept instead of those of the best one before. Without a holdout: always.
[[nodiscard]] bool is_better(const EpochMetrics& epoch, const EpochMetrics& best);

/// The number (from 1) of the epoch with the best score, the first of equals; 0 when there is none. Without a holdout:
/// the last epoch.
[[nodiscard]] std::int64_t best_epoch(const std::vector<EpochMetrics>& history);

/// Of all epochs together.
[[nodiscard]] double total_seconds(const std::vector<EpochMetrics>& history);

}  // namespace mnist_dist::train
