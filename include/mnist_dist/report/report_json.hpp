// A classification report for programs: the content of report.json. Local.
#pragma once

#include <string>

#include "mnist_dist/report/classification_report.hpp"

namespace mnist_dist::report {

/// The report as indented JSON that ends in a newline:
///
///   exact accuracy                  "accuracy", "correct", "total", "interval 95%": [low, high]
///   breakdown.overall               the scores over all classes, under Rubix ML's names ("f1 score", ...)
///   breakdown.classes.<class>       the same for each class, and "proportion"
///   matrix.<predicted>.<actual>     the number of images
[[nodiscard]] std::string report_json(const ClassificationReport& report);

}  // namespace mnist_dist::report
