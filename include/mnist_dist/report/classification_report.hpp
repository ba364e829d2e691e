// What a classifier gets right and wrong, class by class: the values that Rubix ML's MulticlassBreakdown and
// ConfusionMatrix report. Local; owns all it holds.
//
// For one class against all others, TP, FP, TN and FN are its true and false positives and negatives, n their
// sum:
//
//   accuracy                   (TP + TN) / n
//   precision                  TP / (TP + FP)             false discovery rate   1 - precision
//   recall                     TP / (TP + FN)             miss rate              1 - recall
//   specificity                TN / (TN + FP)             fall out               1 - specificity
//   negative predictive value  TN / (TN + FN)             false omission rate    1 - negative predictive
//   value balanced accuracy          (recall + specificity) / 2 f1 score                   2 precision recall
//   / (precision + recall)
//                              (van Rijsbergen, Information Retrieval, 1979, chapter 7)
//   mcc                        (TP TN - FP FN) / sqrt((TP + FP) (TP + FN) (TN + FP) (TN + FN))
//                              (Matthews, Biochimica et Biophysica Acta 405, 1975)
//   informedness               recall + specificity - 1   (Youden, Cancer 3, 1950)
//   markedness                 precision + negative predictive value - 1
//                              (Powers, Journal of Machine Learning Technologies 2(1), 2011)
//
// 0 / 0 is 0 everywhere, as in Rubix ML: a class that is never predicted has precision 0, hence a false
// discovery rate of 1. A class that no image shows and that is never predicted is left out, as there: it is
// no part of the means.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mnist_dist/report/wilson_interval.hpp"
#include "mnist_dist/train/confusion_matrix.hpp"

namespace mnist_dist::report {

/// The scores of one class against all others; over all classes, their unweighted means and the sums of the
/// counts.
struct Scores {
  double accuracy = 0.0;
  double balanced_accuracy = 0.0;
  double f1_score = 0.0;
  double precision = 0.0;
  double recall = 0.0;
  double specificity = 0.0;
  double negative_predictive_value = 0.0;
  double false_discovery_rate = 0.0;
  double miss_rate = 0.0;
  double fall_out = 0.0;
  double false_omission_rate = 0.0;
  double mcc = 0.0;
  double informedness = 0.0;
  double markedness = 0.0;
  std::int64_t true_positives = 0;
  std::int64_t true_negatives = 0;
  std::int64_t false_positives = 0;
  std::int64_t false_negatives = 0;
  std::int64_t cardinality = 0;  ///< the images that show the class; over all classes, all images
};

struct ClassScores {
  std::string name;
  Scores scores;
  double proportion = 0.0;  ///< the share of all images that show the class
};

/// The share of images whose predicted class is the right one. (The mean of the classes' accuracies, which
/// `overall` holds, counts the true negatives of every class and is always higher.)
struct ExactAccuracy {
  double accuracy = 0.0;
  std::int64_t correct = 0;
  std::int64_t total = 0;
  Interval interval;  ///< 95 %, Wilson's
};

struct ClassificationReport {
  Scores overall;
  std::vector<ClassScores> classes;
  /// [predicted][actual], [classes x classes], in the order of `classes`.
  std::vector<std::vector<std::int64_t>> matrix;
  ExactAccuracy exact_accuracy;
  std::size_t classes_left_out = 0;  ///< neither shown by an image nor predicted
};

/// @param class_names one per class of the matrix, [classes]
/// @throws std::invalid_argument when their number is not the matrix's
[[nodiscard]] ClassificationReport make_classification_report(const train::ConfusionMatrix& matrix,
                                                              std::span<const std::string> class_names);

}  // namespace mnist_dist::report
