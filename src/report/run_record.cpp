#include "mnist_dist/report/run_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/read_file.hpp"
#include "mnist_dist/core/sha256.hpp"
#include "mnist_dist/nn/network.hpp"
#include "mnist_dist/nn/softmax_cross_entropy.hpp"
#include "mnist_dist/run/past_run.hpp"
#include "mnist_dist/train/scoring.hpp"

namespace mnist_dist::report {

RunRecord read_run(const std::filesystem::path& folder) {
  run::PastRun run = run::read_past_run(folder);
  if (run.history.empty()) {
    throw Error(ExitCode::file_system,
                fmt::format("{} has no epoch done yet, so there is nothing to report", printable(folder.string())));
  }
  const std::filesystem::path model_path = folder / "model.h5";
  const std::vector<std::byte> model = read_file(model_path);
  return {.folder = folder,
          .settings = std::move(run.settings),
          .history = std::move(run.history),
          .model = run::decode_model(model, model_path),
          .model_sha256 = sha256_hex(model),
          .predictions = {}};
}

std::vector<Prediction> predict_images(const run::Model& model, const data::ImageRows& images) {
  const nn::Network network(model.architecture, nn::standardizing(model.mean, model.standard_deviation));
  const std::vector<float> parameters = nn::with_padding(model.architecture, model.parameters);
  nn::Workspace workspace(model.architecture, train::kScoringRows);
  data::Batch batch(train::kScoringRows, model.architecture.inputs);
  std::vector<Prediction> predictions;
  predictions.reserve(images.size());
  for (std::size_t first = 0; first < images.size(); first += train::kScoringRows) {
    const std::size_t count = std::min(train::kScoringRows, images.size() - first);
    batch.load(images, first, count);
    network.load(batch.pixels(), std::span(&count, 1), workspace);
    network.predict(parameters, workspace);
    // Softmax may make equals of two logits: the larger logit is the prediction, as in `evaluate`.
    const MatrixView<float> values = workspace.logits();
    for (std::size_t row = 0; row < count; ++row) {
      const auto predicted = std::ranges::max_element(values.row(row)) - values.row(row).begin();
      predictions.push_back({.actual = static_cast<std::uint32_t>(batch.labels()[row]),
                             .predicted = static_cast<std::uint32_t>(predicted)});
    }
    nn::softmax(values);
    for (std::size_t row = 0; row < count; ++row) {
      Prediction& prediction = predictions[first + row];
      prediction.probability = values.row(row)[prediction.predicted];
      prediction.actual_probability = values.row(row)[prediction.actual];
    }
  }
  return predictions;
}

train::ConfusionMatrix count_outcomes(const RunRecord& run) {
  train::ConfusionMatrix outcomes(run.model.classes.size());
  for (const Prediction& prediction : run.predictions) outcomes.add(prediction.predicted, prediction.actual);
  return outcomes;
}

}  // namespace mnist_dist::report
