#include <doctest/doctest.h>

#include "float_comparison.hpp"
#include "mnist_dist/train/confusion_matrix.hpp"
#include "rubix_reference.hpp"

using mnist_dist::train::ConfusionMatrix;

namespace {

/// Of 10 images of class 0, 8 are right and 2 taken for class 1; of 4 of class 1, 3 are right, 1 is taken for
/// class 0.
ConfusionMatrix two_classes() {
  ConfusionMatrix matrix(2);
  for (int i = 0; i < 8; ++i) matrix.add(0, 0);
  for (int i = 0; i < 2; ++i) matrix.add(1, 0);
  for (int i = 0; i < 3; ++i) matrix.add(1, 1);
  matrix.add(0, 1);
  return matrix;
}

}  // namespace

TEST_CASE("a confusion matrix counts what was predicted for what") {
  ConfusionMatrix matrix = two_classes();
  CHECK(matrix.count(1, 0) == 2);
  CHECK(matrix.count(0, 1) == 1);
  CHECK(matrix.counts()[1] == 1);
  CHECK(matrix.counts()[2] == 2);
  CHECK(matrix.times_predicted(0) == 9);
  CHECK(matrix.times_predicted(1) == 5);
  CHECK(matrix.times_actual(0) == 10);
  CHECK(matrix.times_actual(1) == 4);
  CHECK(matrix.total() == 14);
  CHECK(matrix.correct() == 11);
  CHECK(difference(matrix.accuracy(), 11.0 / 14.0) < 1e-12);
}

TEST_CASE("matrices of several ranks add up") {
  ConfusionMatrix sum = two_classes();
  ConfusionMatrix other(2);
  other.add(1, 0);
  for (std::size_t i = 0; i < sum.counts().size(); ++i) sum.counts()[i] += other.counts()[i];
  CHECK(sum.count(1, 0) == 3);
  CHECK(sum.total() == 15);
}

TEST_CASE("macro F beta is the F of the mean precision and the mean recall") {
  const double precision = (8.0 / 9.0 + 3.0 / 5.0) / 2.0;
  const double recall = (8.0 / 10.0 + 3.0 / 4.0) / 2.0;
  const ConfusionMatrix matrix = two_classes();
  CHECK(difference(matrix.macro_f_beta(), 2.0 * precision * recall / (precision + recall)) < 1e-12);
  CHECK(difference(matrix.macro_f_beta(2.0), 5.0 * precision * recall / (4.0 * precision + recall)) < 1e-12);
  CHECK(difference(matrix.macro_f_beta(0.0), precision) < 1e-12);
  // Towards infinity only the recall counts.
  CHECK(difference(matrix.macro_f_beta(1e6), recall) < 1e-9);
}

TEST_CASE("macro F1 agrees with Rubix ML's") {
  const auto expected = rubix_reference().at("f_beta_1").get<double>();
  CHECK(difference(rubix_confusion_matrix().macro_f_beta(), expected) < 1e-12);
}

TEST_CASE("a quotient of 0 by 0 counts as 0") {
  CHECK(mnist_dist::train::score_quotient(0.0, 0.0) == 0.0);
  const ConfusionMatrix empty(3);
  CHECK(empty.accuracy() == 0.0);
  CHECK(empty.macro_f_beta() == 0.0);
  ConfusionMatrix all_wrong(2);
  all_wrong.add(0, 1);
  all_wrong.add(1, 0);
  CHECK(all_wrong.macro_f_beta() == 0.0);
  CHECK(all_wrong.accuracy() == 0.0);
}

TEST_CASE("a class that is never predicted costs, one that does not occur at all does not") {
  // Class 1 is always taken for class 0; classes 2 and 3 do not occur.
  ConfusionMatrix matrix(4);
  matrix.add(0, 0);
  matrix.add(0, 0);
  matrix.add(0, 1);
  const double precision = (2.0 / 3.0 + 0.0) / 2.0;
  const double recall = (1.0 + 0.0) / 2.0;
  CHECK(difference(matrix.macro_f_beta(), 2.0 * precision * recall / (precision + recall)) < 1e-12);
}
