// The trained model, and its file model.h5: all that prediction needs. Local.
//
// The file holds /layers/<n>/weights f32 [inputs, outputs] and /layers/<n>/biases f32 [outputs] for n = 1, 2, ...;
// /mean and /standard_deviation f32 in the shape of an image; /classes text. Root attributes: format ("mnist-dist
// model"), format_version, leaky_relu_slope, activation (nn/activation.hpp), image_height, image_width,
// image_channels, dataset_sha256, epoch, score, build, arithmetic, holdout, seed. Its bytes depend on nothing else. It
// ends in a seal (core/sealed_bytes.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/nn/architecture.hpp"

namespace mnist_dist::run {

inline constexpr const char* kModelFormat = "mnist-dist model";

struct Model {
  nn::Architecture architecture;
  std::vector<float> parameters;  ///< [parameter_count(architecture)]
  data::ImageShape image_shape;
  std::vector<float> mean;                ///< [image_shape.size()]
  std::vector<float> standard_deviation;  ///< [image_shape.size()]
  std::vector<std::string> classes;
  std::string dataset_sha256;
  std::int64_t epoch = 0;  ///< the epoch after which the parameters were taken
  double score = 0;        ///< on the holdout, then
  std::string build;
  std::string arithmetic;
  std::optional<double> holdout;  ///< what data::holdout_of() wants besides the data set; files may lack it
  std::uint64_t seed = 0;         ///< likewise
};

/// The model's file: `path` itself, or model.h5 in it when it is the folder of a run; of the run trained last when it
/// is empty. @throws Error (file_system) when there has been no run
[[nodiscard]] std::filesystem::path model_file(std::filesystem::path path);

/// The data set that the config.toml beside a model's file names; the default one where there is none.
/// @throws Error usage: it is no configuration; file_system: it cannot be read
[[nodiscard]] std::string data_of_model(const std::filesystem::path& path);

/// Writes the file atomically. @throws Error (file_system)
void save_model(const Model& model, const std::filesystem::path& path);

/// @param path what errors call the bytes  @throws Error (bad_data) when they are no model, or damaged
[[nodiscard]] Model decode_model(std::span<const std::byte> bytes, const std::filesystem::path& path);

/// @throws Error file_system: cannot be read; bad_data: not a model, or damaged
[[nodiscard]] Model load_model(const std::filesystem::path& path);

}  // namespace mnist_dist::run
