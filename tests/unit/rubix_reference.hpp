// What Rubix ML itself computed for 2,000 pairs of an actual and a predicted class.
#pragma once

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "mnist_dist/train/confusion_matrix.hpp"

inline nlohmann::json rubix_reference() {
  return nlohmann::json::parse(std::ifstream(std::string(TEST_DATA) + "/rubix_report.json"));
}

/// The names of its ten classes: "#0" to "#9".
inline std::vector<std::string> rubix_class_names() {
  std::vector<std::string> names;
  for (int k = 0; k < 10; ++k) names.push_back(fmt::format("#{}", k));
  return names;
}

/// @param transposed takes the actual class for the predicted one: what a test must notice
inline mnist_dist::train::ConfusionMatrix rubix_confusion_matrix(bool transposed = false) {
  mnist_dist::train::ConfusionMatrix matrix(10);
  const nlohmann::json reference = rubix_reference();
  for (const auto& pair : reference.at("pairs")) {
    const auto actual = pair.at(0).get<std::size_t>();
    const auto predicted = pair.at(1).get<std::size_t>();
    if (transposed) {
      matrix.add(actual, predicted);
    } else {
      matrix.add(predicted, actual);
    }
  }
  return matrix;
}
