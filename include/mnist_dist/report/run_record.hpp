// What a report tells of a run: read from its folder, and measured on the test images. Local.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "mnist_dist/data/image_rows.hpp"
#include "mnist_dist/run/model.hpp"
#include "mnist_dist/train/confusion_matrix.hpp"
#include "mnist_dist/train/epoch_metrics.hpp"
#include "mnist_dist/train/settings.hpp"

namespace mnist_dist::report {

/// What a model takes an image for.
struct Prediction {
  std::uint32_t actual = 0;
  std::uint32_t predicted = 0;
  float probability = 0;         ///< of the predicted class
  float actual_probability = 0;  ///< of the actual one
};

struct RunRecord {
  std::filesystem::path folder;
  train::Settings settings;
  std::vector<train::EpochMetrics> history;
  run::Model model;
  std::string model_sha256;
  std::vector<Prediction> predictions;  ///< by test image
};

/// All but the predictions. @throws Error file_system: no run, or one without an epoch or a model yet; usage:
/// config.toml is wrong; bad_data: a damaged file
[[nodiscard]] RunRecord read_run(const std::filesystem::path& folder);

/// The model's prediction for each image; the same as `evaluate` has. @param images of the model's shape
[[nodiscard]] std::vector<Prediction> predict_images(const run::Model& model, const data::ImageRows& images);

[[nodiscard]] train::ConfusionMatrix count_outcomes(const RunRecord& run);

}  // namespace mnist_dist::report
