#include "mnist_dist/report/classification_report.hpp"

#include <cmath>
#include <stdexcept>

namespace mnist_dist::report {
namespace {

using train::score_quotient;

/// The scores of a class that is right `right` times, is predicted `predicted` times and shown by `actual`
/// images.
Scores scores_of_class(std::int64_t right, std::int64_t predicted, std::int64_t actual, std::int64_t total) {
  Scores scores;
  scores.true_positives = right;
  scores.false_positives = predicted - right;
  scores.false_negatives = actual - right;
  scores.true_negatives = total - predicted - actual + right;
  scores.cardinality = actual;

  const auto tp = static_cast<double>(scores.true_positives);
  const auto tn = static_cast<double>(scores.true_negatives);
  const auto fp = static_cast<double>(scores.false_positives);
  const auto fn = static_cast<double>(scores.false_negatives);
  scores.accuracy = score_quotient(tp + tn, tp + tn + fp + fn);
  scores.precision = score_quotient(tp, tp + fp);
  scores.recall = score_quotient(tp, tp + fn);
  scores.specificity = score_quotient(tn, tn + fp);
  scores.negative_predictive_value = score_quotient(tn, tn + fn);
  scores.false_discovery_rate = 1.0 - scores.precision;
  scores.miss_rate = 1.0 - scores.recall;
  scores.fall_out = 1.0 - scores.specificity;
  scores.false_omission_rate = 1.0 - scores.negative_predictive_value;
  scores.balanced_accuracy = (scores.recall + scores.specificity) / 2.0;
  scores.f1_score = score_quotient(2.0 * scores.precision * scores.recall, scores.precision + scores.recall);
  scores.mcc = score_quotient(tp * tn - fp * fn, std::sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)));
  scores.informedness = scores.recall + scores.specificity - 1.0;
  scores.markedness = scores.precision + scores.negative_predictive_value - 1.0;
  return scores;
}

Scores scores_over(const std::vector<ClassScores>& classes) {
  Scores overall;
  for (double Scores::*mean :
       {&Scores::accuracy, &Scores::balanced_accuracy, &Scores::f1_score, &Scores::precision, &Scores::recall,
        &Scores::specificity, &Scores::negative_predictive_value, &Scores::false_discovery_rate, &Scores::miss_rate,
        &Scores::fall_out, &Scores::false_omission_rate, &Scores::mcc, &Scores::informedness, &Scores::markedness}) {
    for (const ClassScores& one : classes) overall.*mean += one.scores.*mean;
    overall.*mean = score_quotient(overall.*mean, static_cast<double>(classes.size()));
  }
  for (std::int64_t Scores::*sum : {&Scores::true_positives, &Scores::true_negatives, &Scores::false_positives,
                                    &Scores::false_negatives, &Scores::cardinality}) {
    for (const ClassScores& one : classes) overall.*sum += one.scores.*sum;
  }
  return overall;
}

}  // namespace

ClassificationReport make_classification_report(const train::ConfusionMatrix& matrix,
                                                std::span<const std::string> class_names) {
  if (class_names.size() != matrix.classes()) {
    throw std::invalid_argument("the confusion matrix and the class names differ in number");
  }
  const std::int64_t total = matrix.total();
  ClassificationReport report;
  std::vector<std::size_t> reported;
  for (std::size_t label = 0; label < matrix.classes(); ++label) {
    const std::int64_t predicted = matrix.times_predicted(label);
    const std::int64_t actual = matrix.times_actual(label);
    if (predicted == 0 && actual == 0) {
      ++report.classes_left_out;
      continue;
    }
    reported.push_back(label);
    report.classes.push_back({class_names[label], scores_of_class(matrix.count(label, label), predicted, actual, total),
                              score_quotient(static_cast<double>(actual), static_cast<double>(total))});
  }
  report.overall = scores_over(report.classes);
  for (const std::size_t predicted : reported) {
    std::vector<std::int64_t>& row = report.matrix.emplace_back();
    for (const std::size_t actual : reported) row.push_back(matrix.count(predicted, actual));
  }
  report.exact_accuracy = {matrix.accuracy(), matrix.correct(), total, wilson_interval(matrix.correct(), total)};
  return report;
}

}  // namespace mnist_dist::report
