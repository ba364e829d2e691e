#include "mnist_dist/train/confusion_matrix.hpp"

#include <numeric>

namespace mnist_dist::train {

double score_quotient(double numerator, double denominator) {
  return denominator == 0.0 ? 0.0 : numerator / denominator;
}

std::int64_t ConfusionMatrix::times_predicted(std::size_t label) const {
  std::int64_t sum = 0;
  for (std::size_t actual = 0; actual < classes_; ++actual) sum += count(label, actual);
  return sum;
}

std::int64_t ConfusionMatrix::times_actual(std::size_t label) const {
  std::int64_t sum = 0;
  for (std::size_t predicted = 0; predicted < classes_; ++predicted) sum += count(predicted, label);
  return sum;
}

std::int64_t ConfusionMatrix::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0});
}

std::int64_t ConfusionMatrix::correct() const {
  std::int64_t sum = 0;
  for (std::size_t label = 0; label < classes_; ++label) sum += count(label, label);
  return sum;
}

double ConfusionMatrix::accuracy() const {
  return score_quotient(static_cast<double>(correct()), static_cast<double>(total()));
}

double ConfusionMatrix::macro_f_beta(double beta) const {
  double precision_sum = 0.0;
  double recall_sum = 0.0;
  double classes_seen = 0.0;
  for (std::size_t label = 0; label < classes_; ++label) {
    const std::int64_t predicted = times_predicted(label);
    const std::int64_t actual = times_actual(label);
    if (predicted == 0 && actual == 0) continue;
    const auto right = static_cast<double>(count(label, label));
    precision_sum += score_quotient(right, static_cast<double>(predicted));
    recall_sum += score_quotient(right, static_cast<double>(actual));
    classes_seen += 1.0;
  }
  const double precision = score_quotient(precision_sum, classes_seen);
  const double recall = score_quotient(recall_sum, classes_seen);
  return score_quotient((1.0 + beta * beta) * precision * recall, beta * beta * precision + recall);
}

}  // namespace mnist_dist::train
