// The trainings of tests/reference/trainings.json: what the program should compute, from its definitions, in double
// precision. Local.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "mnist_dist/train/settings.hpp"

/// What is written down about an epoch; score and accuracy are NaN without a holdout.
struct ReferenceEpoch {
  double loss = 0;
  double score = 0;
  double accuracy = 0;
};

struct ReferenceTraining {
  std::string name;
  mnist_dist::train::Settings settings;
  std::vector<ReferenceEpoch> epochs;
  std::vector<double> parameters;  ///< in the end: W1, b1, W2, b2, ...
  std::vector<double> average;     ///< likewise; empty where none is kept
};

struct ReferenceTrainings {
  double tolerance = 0;
  std::vector<double> standard_deviation;  ///< of the data set
  std::vector<ReferenceTraining> all;

  /// @throws std::out_of_range when there is none of that name
  [[nodiscard]] const ReferenceTraining& named(const std::string& name) const;
};

/// The trainings; writes the data set on which they were computed to `path`.
[[nodiscard]] ReferenceTrainings read_reference_trainings(const std::filesystem::path& path);
