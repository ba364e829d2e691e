#include "mnist_dist/report/report_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "mnist_dist/core/counted.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/report/text_table.hpp"

namespace mnist_dist::report {
namespace {

constexpr std::size_t kMostClassesInFull = 30;
constexpr std::size_t kClassesOfMany = 20;
constexpr std::size_t kMostColumns = 120;  // of a matrix that still reads well
constexpr std::size_t kNameColumns = 24;
constexpr std::size_t kHeadingColumns = 6;
constexpr std::size_t kConfusions = 20;

std::string label(const std::string& class_name) {
  return shortened(printable(class_name), kNameColumns);
}

std::string exact_accuracy_text(const ExactAccuracy& exact) {
  return fmt::format("{} of {} right: accuracy {:.2f} % (95 % interval {:.2f} % to {:.2f} %)\n", exact.correct,
                     counted(exact.total, "image"), 100.0 * exact.accuracy, 100.0 * exact.interval.low,
                     100.0 * exact.interval.high);
}

std::vector<std::string> score_cells(const std::string& name, const Scores& scores) {
  return {name,
          fmt::format("{:.4f}", scores.precision),
          fmt::format("{:.4f}", scores.recall),
          fmt::format("{:.4f}", scores.f1_score),
          fmt::format("{:.4f}", scores.specificity),
          fmt::format("{}", scores.cardinality)};
}

/// The classes that the table shows: all, or those with the lowest F1, worst first.
std::vector<std::size_t> classes_to_show(const ClassificationReport& report) {
  std::vector<std::size_t> order(report.classes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (order.size() <= kMostClassesInFull) return order;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t left, std::size_t right) {
    return report.classes[left].scores.f1_score < report.classes[right].scores.f1_score;
  });
  order.resize(kClassesOfMany);
  return order;
}

std::string class_table_text(const ClassificationReport& report, const std::string& whole_report) {
  const std::vector<std::size_t> shown = classes_to_show(report);
  TextTable table({"class", "precision", "recall", "F1", "specificity", "images"});
  for (const std::size_t k : shown) {
    table.add_row(score_cells(label(report.classes[k].name), report.classes[k].scores));
  }
  table.add_row(score_cells("overall (mean)", report.overall));
  std::string text = table.text();
  if (shown.size() < report.classes.size()) {
    text += fmt::format("The {} of {} classes with the lowest F1; all are in {}\n", shown.size(), report.classes.size(),
                        whole_report);
  }
  if (report.classes_left_out > 0) {
    text += fmt::format("Left out, as no image shows them and none was taken for them: {}\n",
                        counted(report.classes_left_out, "class", "classes"));
  }
  return text;
}

/// Long class names would make wide columns: these are then headed by numbers, which the rows' labels repeat.
TextTable matrix_table(const ClassificationReport& report) {
  const bool numbered = std::any_of(report.classes.begin(), report.classes.end(), [](const ClassScores& one) {
    return display_width(printable(one.name)) > kHeadingColumns;
  });
  std::vector<std::string> headings{""};
  for (std::size_t k = 0; k < report.classes.size(); ++k) {
    headings.push_back(numbered ? fmt::format("[{}]", k + 1) : printable(report.classes[k].name));
  }
  TextTable table(headings);
  for (std::size_t predicted = 0; predicted < report.classes.size(); ++predicted) {
    const std::string name = label(report.classes[predicted].name);
    std::vector<std::string> cells{numbered ? headings[predicted + 1] + " " + name : name};
    for (const std::int64_t count : report.matrix[predicted]) cells.push_back(fmt::format("{}", count));
    table.add_row(std::move(cells));
  }
  return table;
}

std::string confusions_text(const ClassificationReport& report, const std::string& whole_report) {
  struct Confusion {
    std::int64_t count;
    std::size_t predicted;
    std::size_t actual;
  };
  std::vector<Confusion> confusions;
  for (std::size_t predicted = 0; predicted < report.classes.size(); ++predicted) {
    for (std::size_t actual = 0; actual < report.classes.size(); ++actual) {
      const std::int64_t count = report.matrix[predicted][actual];
      if (predicted != actual && count > 0) confusions.push_back({count, predicted, actual});
    }
  }
  std::stable_sort(confusions.begin(), confusions.end(),
                   [](const Confusion& left, const Confusion& right) { return left.count > right.count; });
  if (confusions.size() > kConfusions) confusions.resize(kConfusions);

  TextTable table({"predicted", "actual", "images"});
  for (const Confusion& confusion : confusions) {
    table.add_row({label(report.classes[confusion.predicted].name), label(report.classes[confusion.actual].name),
                   fmt::format("{}", confusion.count)});
  }
  return fmt::format("Most frequent confusions (the whole confusion matrix is in {}):\n{}", whole_report, table.text());
}

}  // namespace

std::string report_text(const ClassificationReport& report, const std::string& whole_report) {
  std::string text = exact_accuracy_text(report.exact_accuracy) + "\n" + class_table_text(report, whole_report) + "\n";
  // Its width alone says whether a matrix is small: a thousand classes need not be formatted to be found too
  // wide.
  if (report.classes.size() <= kMostColumns / 2) {
    const TextTable matrix = matrix_table(report);
    if (matrix.width() <= kMostColumns) {
      return text + "Confusion matrix: a row per predicted class, a column per actual class\n" + matrix.text();
    }
  }
  return text + confusions_text(report, whole_report);
}

}  // namespace mnist_dist::report
