#include "page_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "examples.hpp"
#include "mnist_dist/core/base64.hpp"
#include "mnist_dist/core/build_info.hpp"
#include "mnist_dist/image/contact_sheet.hpp"
#include "mnist_dist/image/png.hpp"
#include "mnist_dist/optim/learning_rate_schedule.hpp"
#include "mnist_dist/report/classification_report.hpp"
#include "unit_pictures.hpp"

namespace mnist_dist::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostPoints = 1000;        // of a curve
constexpr std::size_t kMostScores = 200;         // classes in the table
constexpr std::size_t kMostMatrixClasses = 40;   // in a matrix that shows all
constexpr std::size_t kShownMatrixClasses = 30;  // of more
constexpr std::size_t kExampleBytes = 200'000;   // that are kept for them, before the network gets the rest
constexpr std::size_t kMostExampleBytes = 700'000;

/// As text. A name that is not UTF-8 must not cost the report.
std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// With six digits, which a reader will never miss. NaN becomes null.
double brief(double value) {
  return std::isnan(value) ? value : std::stod(fmt::format("{:.6g}", value));
}

template <class T>
std::string base64_of(const std::vector<T>& values) {
  return base64(std::as_bytes(std::span(values)));
}

/// Every so many epochs, and the last.
std::vector<train::EpochMetrics> thinned(const std::vector<train::EpochMetrics>& history) {
  const std::size_t step = history.size() / kMostPoints + 1;
  std::vector<train::EpochMetrics> kept;
  for (std::size_t i = 0; i < history.size(); ++i) {
    if (i % step == step - 1 || i + 1 == history.size()) kept.push_back(history[i]);
  }
  return kept;
}

Json curves_json(const RunRecord& run) {
  Json curves = {{"epoch", Json::array()},    {"loss", Json::array()},          {"score", Json::array()},
                 {"accuracy", Json::array()}, {"learning_rate", Json::array()}, {"seconds", Json::array()}};
  for (const train::EpochMetrics& epoch : thinned(run.history)) {
    const auto rows = static_cast<std::uint64_t>(epoch.rows);
    const std::uint64_t steps =
        std::max<std::uint64_t>(1, (rows + run.settings.batch_size - 1) / run.settings.batch_size);
    const optim::ScheduleSettings schedule = train::schedule_settings(run.settings, steps);
    curves["epoch"].push_back(epoch.epoch);
    curves["loss"].push_back(brief(epoch.loss));
    curves["score"].push_back(brief(epoch.score));
    curves["accuracy"].push_back(brief(epoch.accuracy));
    curves["learning_rate"].push_back(brief(optim::learning_rate(schedule, run.settings.learning_rate, epoch.steps)));
    curves["seconds"].push_back(brief(epoch.seconds));
  }
  return curves;
}

Json settings_json(const train::Settings& settings) {
  Json json = Json::object();
  for (const auto& [name, value] : train::setting_values(settings)) json[name] = value;
  return json;
}

Json run_json(const RunRecord& run) {
  const train::ConfusionMatrix outcomes = count_outcomes(run);
  const Interval interval = wilson_interval(outcomes.correct(), outcomes.total());
  return {{"name", run.folder.string()},
          {"settings", settings_json(run.settings)},
          {"curves", curves_json(run)},
          {"epochs", run.history.empty() ? 0 : run.history.back().epoch},
          {"best_epoch", run.model.epoch},
          {"score", brief(run.model.score)},
          {"seconds", brief(train::total_seconds(run.history))},
          {"test",
           {{"correct", outcomes.correct()},
            {"total", outcomes.total()},
            {"accuracy", outcomes.accuracy()},
            {"low", interval.low},
            {"high", interval.high}}},
          {"network", run.model.architecture.description()},
          {"activation", run.model.architecture.activation_description()},
          {"parameters", run.model.parameters.size()},
          {"dataset_sha256", run.model.dataset_sha256},
          {"model_sha256", run.model_sha256},
          {"build", run.model.build},
          {"arithmetic", run.model.arithmetic}};
}

Json scores_json(const RunRecord& run, const train::ConfusionMatrix& outcomes) {
  std::vector<ClassScores> classes = make_classification_report(outcomes, run.model.classes).classes;
  if (classes.size() > kMostScores) {
    std::ranges::stable_sort(classes, {}, [](const ClassScores& one) { return one.scores.f1_score; });
    classes.resize(kMostScores);
  }
  Json rows = Json::array();
  for (const ClassScores& one : classes) {
    rows.push_back({one.name, brief(one.scores.precision), brief(one.scores.recall), brief(one.scores.f1_score),
                    one.scores.cardinality});
  }
  return rows;
}

/// The labels that the matrix shows, ascending: all, or of very many those with the most mistakes.
std::vector<std::size_t> matrix_classes(const train::ConfusionMatrix& outcomes) {
  std::vector<std::size_t> labels(outcomes.classes());
  std::iota(labels.begin(), labels.end(), std::size_t{0});
  if (labels.size() <= kMostMatrixClasses) return labels;
  std::ranges::stable_sort(labels, std::ranges::greater{}, [&](std::size_t label) {
    return outcomes.times_actual(label) + outcomes.times_predicted(label) - 2 * outcomes.count(label, label);
  });
  labels.resize(kShownMatrixClasses);
  std::ranges::sort(labels);
  return labels;
}

Json matrix_json(const train::ConfusionMatrix& outcomes) {
  const std::vector<std::size_t> labels = matrix_classes(outcomes);
  Json cells = Json::array();
  for (const std::size_t actual : labels) {
    for (const std::size_t predicted : labels) {
      const std::int64_t count = outcomes.count(predicted, actual);
      if (count > 0) cells.push_back({actual, predicted, count});
    }
  }
  return {{"classes", labels}, {"cells", std::move(cells)}};
}

Json units_json(const run::Model& model) {
  const UnitPictures units = draw_units(model);
  return {{"count", units.count},
          {"shown", units.shown},
          {"height", units.height},
          {"width", units.width},
          {"pixels", base64_of(units.pixels)}};
}

Json network_json(const run::Model& model) {
  std::vector<std::size_t> sizes = {model.architecture.inputs};
  sizes.insert(sizes.end(), model.architecture.hidden.begin(), model.architecture.hidden.end());
  sizes.push_back(model.architecture.outputs);
  return {{"sizes", sizes},
          {"activation", name_of(nn::kActivations, model.architecture.activation)},
          {"slope", model.architecture.leaky_relu_slope},
          {"mean", base64_of(model.mean)},
          {"deviation", base64_of(model.standard_deviation)},
          {"parameters", base64_of(model.parameters)}};
}

/// The members examples, worst and sheet, with as many of the examples as the room allows.
Json examples_json(const RunRecord& run, const data::ImageRows& images, std::span<const std::string> names,
                   std::size_t most_bytes) {
  Examples chosen = choose_examples(run.predictions);
  while (!chosen.rows.empty()) {
    Json examples = Json::array();
    for (const std::size_t row : chosen.rows) {
      const Prediction& prediction = run.predictions[row];
      examples.push_back({names[row], prediction.actual, prediction.predicted,
                          brief(static_cast<double>(prediction.probability)),
                          brief(static_cast<double>(prediction.actual_probability))});
    }
    const ExampleSheet drawn = draw_examples(images, run.model.image_shape, chosen.rows);
    Json json = {{"examples", std::move(examples)},
                 {"worst", std::min(chosen.worst, chosen.rows.size())},
                 {"sheet",
                  {{"columns", drawn.columns},
                   {"height", drawn.height},
                   {"width", drawn.width},
                   {"line", image::kSheetLine},
                   {"png", "data:image/png;base64," + base64_of(image::encode_png(drawn.sheet))}}}};
    const std::size_t bytes = text_of(json).size();
    if (bytes <= most_bytes) return json;
    chosen.rows.resize(static_cast<std::size_t>(0.9 * static_cast<double>(chosen.rows.size()) *
                                                static_cast<double>(most_bytes) / static_cast<double>(bytes)));
  }
  return {{"examples", Json::array()}, {"worst", 0}, {"sheet", nullptr}};
}

/// What would end the script element, or begin a comment in it, stands only within strings.
std::string safe_in_script(const std::string& json) {
  std::string safe;
  safe.reserve(json.size());
  for (const char character : json) {
    if (character == '<' || character == '>' || character == '&') {
      safe += fmt::format("\\u{:04x}", static_cast<int>(character));
    } else {
      safe += character;
    }
  }
  return safe;
}

}  // namespace

std::string page_data(std::span<const RunRecord> runs, const data::ImageRows& images,
                      std::span<const std::string> names, std::size_t most_bytes) {
  const RunRecord& first = runs.front();
  const train::ConfusionMatrix outcomes = count_outcomes(first);
  const data::ImageShape shape = first.model.image_shape;
  Json page = {{"program", build_description()}, {"runs", Json::array()}};
  for (const RunRecord& run : runs) page["runs"].push_back(run_json(run));
  page["image"] = {{"height", shape.height}, {"width", shape.width}, {"channels", shape.channels}};
  page["classes"] = first.model.classes;
  page["scores"] = scores_json(first, outcomes);
  page["matrix"] = matrix_json(outcomes);
  page["units"] = units_json(first.model);
  std::size_t taken = safe_in_script(text_of(page)).size();
  const auto left = [&] { return most_bytes > taken ? most_bytes - taken : 0; };

  const std::size_t network_bytes = 4 * sizeof(float) * (first.model.parameters.size() + 2 * shape.size()) / 3 + 1000;
  const bool with_network = network_bytes + kExampleBytes <= left();
  page["network"] = with_network ? network_json(first.model) : Json();
  if (with_network) taken += network_bytes;
  page.update(examples_json(first, images, names, std::min(kMostExampleBytes, left())));
  return safe_in_script(text_of(page));
}

}  // namespace mnist_dist::report
