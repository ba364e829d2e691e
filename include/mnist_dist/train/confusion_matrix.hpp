// Counts of what was predicted for what; every score is computed from them. Local.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mnist_dist::train {

/// numerator / denominator, and 0 for 0 / 0: the convention of all scores that are made of counts.
[[nodiscard]] double score_quotient(double numerator, double denominator);

/// counts[predicted][actual], [classes x classes].
class ConfusionMatrix {
 public:
  explicit ConfusionMatrix(std::size_t classes) : classes_(classes), counts_(classes * classes) {}

  void add(std::size_t predicted, std::size_t actual) { ++counts_[predicted * classes_ + actual]; }
  [[nodiscard]] std::size_t classes() const { return classes_; }
  [[nodiscard]] std::int64_t count(std::size_t predicted, std::size_t actual) const {
    return counts_[predicted * classes_ + actual];
  }
  /// All counts, row-major: what ranks sum, as integers.
  [[nodiscard]] std::span<std::int64_t> counts() { return counts_; }
  /// How often a class was predicted, and how often it was the actual one.
  [[nodiscard]] std::int64_t times_predicted(std::size_t label) const;
  [[nodiscard]] std::int64_t times_actual(std::size_t label) const;
  [[nodiscard]] std::int64_t total() const;
  [[nodiscard]] std::int64_t correct() const;
  /// The share of correct predictions; 0 when there are none at all.
  [[nodiscard]] double accuracy() const;
  /// F beta = (1 + b^2) P R / (b^2 P + R) (van Rijsbergen, Information Retrieval, 1979, chapter 7), where P
  /// and R are the unweighted means over the classes of precision and recall, as Rubix ML's FBeta has it: not
  /// the mean of the classes' own F. 0 / 0 counts as 0; a class that is neither actual nor predicted anywhere
  /// is left out.
  [[nodiscard]] double macro_f_beta(double beta = 1.0) const;

 private:
  std::size_t classes_;
  std::vector<std::int64_t> counts_;
};

}  // namespace mnist_dist::train
