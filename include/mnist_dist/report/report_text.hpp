// A classification report for a reader at a terminal. Local.
#pragma once

#include <string>

#include "mnist_dist/report/classification_report.hpp"

namespace mnist_dist::report {

/// The exact accuracy, a table of the classes' scores and the confusion matrix, as lines of text.
///
/// Of many classes the table shows those with the lowest F1, and where the matrix would not fit a terminal
/// the most frequent confusions stand in its place.
///
/// @param whole_report where the reader finds the rest, such as "runs/latest/report.json"
[[nodiscard]] std::string report_text(const ClassificationReport& report, const std::string& whole_report);

}  // namespace mnist_dist::report
