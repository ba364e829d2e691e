#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "float_comparison.hpp"
#include "mnist_dist/report/classification_report.hpp"
#include "mnist_dist/report/report_json.hpp"
#include "mnist_dist/report/report_text.hpp"
#include "mnist_dist/report/text_table.hpp"
#include "rubix_reference.hpp"

using namespace mnist_dist::report;
using mnist_dist::train::ConfusionMatrix;
using nlohmann::json;

namespace {

const ReportedImages kImages = {"ab12", "holdout"};

/// The report of the reference's pairs, parsed from what report.json would hold.
json computed_report(bool transposed = false) {
  const std::vector<std::string> names = rubix_class_names();
  return json::parse(report_json(make_classification_report(rubix_confusion_matrix(transposed), names), kImages));
}

/// The number of values in which two JSON trees differ (by more than 1e-12), or that only one of them has.
std::size_t differences(const json& left, const json& right) {
  if (left.is_object() && right.is_object()) {
    std::set<std::string> keys;
    for (const auto& [key, value] : left.items()) keys.insert(key);
    for (const auto& [key, value] : right.items()) keys.insert(key);
    std::size_t count = 0;
    for (const std::string& key : keys) {
      count += left.contains(key) && right.contains(key) ? differences(left[key], right[key]) : 1;
    }
    return count;
  }
  if (left.is_number_integer() != right.is_number_integer()) return 1;
  return is_close(left.get<double>(), right.get<double>(), 1e-12) ? 0 : 1;
}

std::vector<std::string> keys_in_order(const nlohmann::ordered_json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

/// A report whose classes are all right `right` times; the images of each class k beyond are taken for class
/// k + 1.
ClassificationReport report_of(const std::vector<std::string>& names, int right, int wrong) {
  ConfusionMatrix matrix(names.size());
  for (std::size_t k = 0; k < names.size(); ++k) {
    for (int i = 0; i < right; ++i) matrix.add(k, k);
    for (int i = 0; i < wrong; ++i) matrix.add((k + 1) % names.size(), k);
  }
  return make_classification_report(matrix, names);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("the report agrees with Rubix ML's in every key and value") {
  const json expected = rubix_reference().at("report");
  json computed = computed_report();
  for (const char* ours : {"dataset_sha256", "split", "exact accuracy"}) computed.erase(ours);
  CHECK(differences(computed, expected) == 0);
}

TEST_CASE("taking the actual class for the predicted one would be noticed") {
  const json expected = rubix_reference().at("report");
  const json transposed = computed_report(true);
  CHECK(differences(transposed["breakdown"]["overall"], expected["breakdown"]["overall"]) > 0);
  CHECK(differences(transposed["breakdown"]["classes"], expected["breakdown"]["classes"]) > 50);
  CHECK(differences(transposed["matrix"], expected["matrix"]) > 30);
}

TEST_CASE("report.json says first how many were right, then what Rubix ML says") {
  const auto report = nlohmann::ordered_json::parse(
      report_json(make_classification_report(rubix_confusion_matrix(), rubix_class_names()), kImages));
  CHECK(keys_in_order(report) ==
        std::vector<std::string>{"dataset_sha256", "split", "exact accuracy", "breakdown", "matrix"});
  CHECK(report["dataset_sha256"] == kImages.dataset_sha256);
  CHECK(report["split"] == kImages.split);
  CHECK(keys_in_order(report["breakdown"]) == std::vector<std::string>{"overall", "classes"});
  CHECK(keys_in_order(report["breakdown"]["classes"]) == rubix_class_names());
  CHECK(report["exact accuracy"]["correct"] == 1692);
  CHECK(report["exact accuracy"]["total"] == 2000);
  CHECK(report["exact accuracy"]["accuracy"] == 0.846);
  CHECK(report["exact accuracy"]["interval 95%"].size() == 2);
  CHECK(report["exact accuracy"]["interval 95%"][0] < 0.846);
  CHECK(report["exact accuracy"]["interval 95%"][1] > 0.846);
}

TEST_CASE("a class that is never predicted or never shown has scores of 0, not of nothing") {
  // Three images of "shown", none of "imagined"; the model says "imagined" once and "shown" never.
  ConfusionMatrix matrix(3);
  matrix.add(1, 0);
  matrix.add(2, 2);
  const std::vector<std::string> names{"shown", "imagined", "right"};
  const ClassificationReport report = make_classification_report(matrix, names);
  REQUIRE(report.classes.size() == 3);
  const Scores& shown = report.classes[0].scores;
  CHECK(shown.precision == 0.0);
  CHECK(shown.false_discovery_rate == 1.0);
  CHECK(shown.recall == 0.0);
  CHECK(shown.f1_score == 0.0);
  CHECK(shown.mcc == 0.0);
  CHECK(shown.negative_predictive_value == 0.5);
  const Scores& imagined = report.classes[1].scores;
  CHECK(imagined.recall == 0.0);
  CHECK(imagined.miss_rate == 1.0);
  CHECK(imagined.cardinality == 0);
  CHECK(imagined.mcc == 0.0);
  CHECK(report.classes[1].proportion == 0.0);
  CHECK(report.classes[2].scores.mcc == 1.0);
  CHECK(difference(report.overall.precision, 1.0 / 3.0) < 1e-12);
}

TEST_CASE("a class that does not occur at all is left out of the report and of its means") {
  ConfusionMatrix matrix(3);
  matrix.add(0, 0);
  matrix.add(2, 2);
  const ClassificationReport report = make_classification_report(matrix, std::vector<std::string>{"a", "nowhere", "c"});
  CHECK(report.classes_left_out == 1);
  REQUIRE(report.classes.size() == 2);
  CHECK(report.classes[1].name == "c");
  CHECK(report.matrix == std::vector<std::vector<std::int64_t>>{{1, 0}, {0, 1}});
  CHECK(report.overall.precision == 1.0);
  CHECK(report_text(report, "report.json").find("1 class\n") != std::string::npos);
}

TEST_CASE("a single class and no image at all are no reason to fail") {
  ConfusionMatrix one_class(1);
  one_class.add(0, 0);
  const ClassificationReport single = make_classification_report(one_class, std::vector<std::string>{"only"});
  CHECK(single.overall.recall == 1.0);
  CHECK(single.overall.specificity == 0.0);  // 0 / 0: there is no other class
  const ClassificationReport none = make_classification_report(ConfusionMatrix(2), std::vector<std::string>{"a", "b"});
  CHECK(none.overall.accuracy == 0.0);
  CHECK(none.exact_accuracy.interval.low == 0.0);
  CHECK(none.exact_accuracy.interval.high == 1.0);
  CHECK(json::parse(report_json(none, kImages))["breakdown"]["classes"].empty());
  CHECK(report_text(none, "report.json").find("0 of 0 images") == 0);
}

TEST_CASE("names and matrix must fit each other") {
  CHECK_THROWS_AS(static_cast<void>(make_classification_report(ConfusionMatrix(2), std::vector<std::string>{"a"})),
                  std::invalid_argument);
}

TEST_CASE("a class name that is no UTF-8, or has quotes, still gives JSON") {
  const std::vector<std::string> names{"a\"b", "\xff\xfe"};
  const json report = json::parse(report_json(report_of(names, 1, 0), kImages));
  CHECK(report["breakdown"]["classes"].contains("a\"b"));
  CHECK(report["breakdown"]["classes"].size() == 2);
}

TEST_CASE("the text shows the accuracy, the classes, the means and the matrix") {
  const ClassificationReport report = make_classification_report(rubix_confusion_matrix(), rubix_class_names());
  const std::string text = report_text(report, "runs/1/report.json");
  CHECK(text.find("1692 of 2000 images right: accuracy 84.60 %") == 0);
  CHECK(text.find("#7                 0.8529  0.1986  0.3222       0.9973     146\n") != std::string::npos);
  CHECK(text.find("overall (mean)     0.8598  0.8302  0.8218       0.9827    2000\n") != std::string::npos);
  CHECK(text.find("#7    4    0    0    0    0    0    0   29    1    0\n") != std::string::npos);
  CHECK(text.find("report.json") == std::string::npos);  // nothing is left out
}

TEST_CASE("tables stay aligned with long names in any script") {
  const std::vector<std::string> names{"a", "Straßenbahn", "猫", "e\u0301te\u0301",
                                       "a name that goes on for much longer than any column of a table should be wide"};
  const std::vector<std::string> lines = lines_of(report_text(report_of(names, 3, 1), "report.json"));
  REQUIRE(lines.size() > 8);
  for (std::size_t row = 3; row <= 8; ++row) CHECK(display_width(lines[row]) == display_width(lines[2]));
  bool numbered = false;
  for (const std::string& line : lines) {
    CHECK(display_width(line) <= 120);
    numbered = numbered || line.find("[3] 猫") == 0;
  }
  CHECK(numbered);
}

TEST_CASE("of many classes the text shows the worst ones and says where the rest is") {
  std::vector<std::string> names(400);
  for (std::size_t k = 0; k < names.size(); ++k) names[k] = fmt::format("class-{}", k);
  ConfusionMatrix matrix(names.size());
  for (std::size_t k = 0; k < names.size(); ++k) {
    for (std::size_t i = 0; i < 10; ++i) matrix.add(k, k);
  }
  for (int i = 0; i < 7; ++i) matrix.add(5, 399);
  for (int i = 0; i < 3; ++i) matrix.add(6, 399);
  const std::string text = report_text(make_classification_report(matrix, names), "runs/1/report.json");
  CHECK(lines_of(text).size() < 50);
  CHECK(text.find("The 20 of 400 classes with the lowest F1; all are in runs/1/report.json\n") != std::string::npos);
  CHECK(text.find("class-399 ") < text.find("class-5 "));  // the lowest F1 comes first
  CHECK(text.find("the whole confusion matrix is in runs/1/report.json") != std::string::npos);
  CHECK(text.find("class-5    class-399       7\n") != std::string::npos);
}

TEST_CASE("Wilson's interval agrees with published and independent values") {
  struct Known {
    std::int64_t successes;
    std::int64_t total;
    double low;
    double high;
    double tolerance;
  };
  // Newcombe, Statistics in Medicine 17, 1998, table I, method 3, four decimals; the last one by scipy's
  // binomtest(9750, 10000).proportion_ci(method="wilson").
  for (const Known& known :
       {Known{81, 263, 0.2553, 0.3662, 5e-5}, Known{15, 148, 0.0624, 0.1605, 5e-5}, Known{0, 20, 0.0, 0.1611, 5e-5},
        Known{1, 29, 0.0061, 0.1718, 5e-5}, Known{9750, 10000, 0.9717527631333817, 0.9778824384144756, 1e-14}}) {
    const Interval interval = wilson_interval(known.successes, known.total);
    CHECK(difference(interval.low, known.low) <= known.tolerance);
    CHECK(difference(interval.high, known.high) <= known.tolerance);
  }
}

TEST_CASE("Wilson's interval is exact at both ends and for nothing at all") {
  for (std::int64_t total = 1; total <= 1000; ++total) {
    CHECK(wilson_interval(0, total).low == 0.0);
    CHECK(wilson_interval(total, total).high == 1.0);
  }
  CHECK(wilson_interval(50, 50).low < 1.0);
  CHECK(wilson_interval(0, 0).low == 0.0);
  CHECK(wilson_interval(0, 0).high == 1.0);
}

TEST_CASE("display widths are the terminal's, and shortened text keeps whole characters") {
  CHECK(display_width("") == 0);
  CHECK(display_width("abc") == 3);
  CHECK(display_width("ß") == 1);
  CHECK(display_width("猫") == 2);
  CHECK(display_width("e\u0301") == 1);
  CHECK(display_width("\xff") == 1);
  CHECK(shortened("abcdef", 6) == "abcdef");
  CHECK(shortened("abcdefg", 6) == "abcde…");
  CHECK(shortened("猫猫猫", 4) == "猫…");
  CHECK(shortened("ßßß", 1) == "…");
}

TEST_CASE("a row of another length than the headings is refused") {
  TextTable table({"one", "two"});
  CHECK_THROWS_AS(table.add_row({"1"}), std::invalid_argument);
}
