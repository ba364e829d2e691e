// The folder of a run: where its files lie, and how it comes to be. Local: rank 0 alone makes and writes it.
//
//   config.toml    every setting, for `mnist-dist train --config`
//   metrics.csv    a row per epoch          metrics.jsonl  the same and more
//   model.h5       the best parameters      checkpoints/   what --resume goes on from
// Beside the folder, the link "latest" points to the newest run.
#pragma once

#include <filesystem>
#include <string>

#include "mnist_dist/train/settings.hpp"

namespace mnist_dist::run {

class RunFolder {
 public:
  /// An existing run. @throws Error (file_system) when there is no config.toml in it
  static RunFolder open(const std::filesystem::path& path);
  /// A new run at `path`, or at runs/<UTC time> when it is empty; writes config.toml and "latest".
  /// @throws Error usage: there is a run already; file_system: it cannot be made
  static RunFolder create(std::filesystem::path path, const train::Settings& settings);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path config() const { return path_ / "config.toml"; }
  [[nodiscard]] std::filesystem::path metrics_csv() const { return path_ / "metrics.csv"; }
  [[nodiscard]] std::filesystem::path metrics_jsonl() const { return path_ / "metrics.jsonl"; }
  [[nodiscard]] std::filesystem::path model() const { return path_ / "model.h5"; }
  [[nodiscard]] std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }

 private:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace mnist_dist::run
