#include "mnist_dist/report/report_json.hpp"

#include <nlohmann/json.hpp>

namespace mnist_dist::report {
namespace {

using Json = nlohmann::ordered_json;

Json scores_json(const Scores& scores) {
  return {{"accuracy", scores.accuracy},
          {"balanced accuracy", scores.balanced_accuracy},
          {"f1 score", scores.f1_score},
          {"precision", scores.precision},
          {"recall", scores.recall},
          {"specificity", scores.specificity},
          {"negative predictive value", scores.negative_predictive_value},
          {"false discovery rate", scores.false_discovery_rate},
          {"miss rate", scores.miss_rate},
          {"fall out", scores.fall_out},
          {"false omission rate", scores.false_omission_rate},
          {"mcc", scores.mcc},
          {"informedness", scores.informedness},
          {"markedness", scores.markedness},
          {"true positives", scores.true_positives},
          {"true negatives", scores.true_negatives},
          {"false positives", scores.false_positives},
          {"false negatives", scores.false_negatives},
          {"cardinality", scores.cardinality}};
}

Json breakdown_json(const ClassificationReport& report) {
  Json classes = Json::object();
  for (const ClassScores& one : report.classes) {
    Json& scores = classes[one.name] = scores_json(one.scores);
    scores["proportion"] = one.proportion;
  }
  return {{"overall", scores_json(report.overall)}, {"classes", std::move(classes)}};
}

Json matrix_json(const ClassificationReport& report) {
  Json matrix = Json::object();
  for (std::size_t predicted = 0; predicted < report.classes.size(); ++predicted) {
    Json& row = matrix[report.classes[predicted].name] = Json::object();
    for (std::size_t actual = 0; actual < report.classes.size(); ++actual) {
      row[report.classes[actual].name] = report.matrix[predicted][actual];
    }
  }
  return matrix;
}

Json exact_accuracy_json(const ExactAccuracy& exact) {
  return {{"accuracy", exact.accuracy},
          {"correct", exact.correct},
          {"total", exact.total},
          {"interval 95%", Json::array({exact.interval.low, exact.interval.high})}};
}

}  // namespace

std::string report_json(const ClassificationReport& report, const ReportedImages& images) {
  const Json json = {{"dataset_sha256", images.dataset_sha256},
                     {"split", images.split},
                     {"exact accuracy", exact_accuracy_json(report.exact_accuracy)},
                     {"breakdown", breakdown_json(report)},
                     {"matrix", matrix_json(report)}};
  // A class name with bytes that are not UTF-8 must not cost the report: they become U+FFFD.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace mnist_dist::report
