// A classification report for programs: the content of report.json. Local.
#pragma once

#include <string>

#include "mnist_dist/report/classification_report.hpp"

namespace mnist_dist::report {

/// Which images a report is of.
struct ReportedImages {
  std::string dataset_sha256;  ///< the content_sha256 of their data set
  std::string split;           ///< "test" or "holdout"
};

/// The report as indented JSON that ends in a newline:
///
///   dataset_sha256, split           which images it is of
///   exact accuracy                  "accuracy", "correct", "total", "interval 95%": [low, high]
///   breakdown.overall               the scores over all classes, under Rubix ML's names ("f1 score", ...)
///   breakdown.classes.<class>       the same for each class, and "proportion"
///   matrix.<predicted>.<actual>     the number of images
[[nodiscard]] std::string report_json(const ClassificationReport& report, const ReportedImages& images);

}  // namespace mnist_dist::report
