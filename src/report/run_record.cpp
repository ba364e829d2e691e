#include "mnist_dist/report/run_record.hpp"

#include <algorithm>

#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/sha256.hpp"
#include "mnist_dist/nn/network.hpp"
#include "mnist_dist/nn/softmax_cross_entropy.hpp"
#include "mnist_dist/run/metrics_files.hpp"
#include "mnist_dist/run/run_folder.hpp"
#include "mnist_dist/train/scoring.hpp"

namespace mnist_dist::report {

RunRecord read_run(const std::filesystem::path& folder) {
  const run::RunFolder files = run::RunFolder::open(folder);
  RunRecord record;
  record.folder = folder;
  record.settings = train::settings_from_toml(read_text_file(files.config()), files.config().string());
  const std::vector<std::byte> model = read_file(files.model());
  record.model = run::decode_model(model, files.model());
  record.model_sha256 = sha256_hex(model);
  record.history = run::history_from_jsonl(read_text_file(files.metrics_jsonl()), files.metrics_jsonl().string());
  return record;
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
