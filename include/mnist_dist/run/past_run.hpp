// Runs as they lie on the disk: to list, to compare, to remove. Local.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "mnist_dist/run/model.hpp"
#include "mnist_dist/run/run_folder.hpp"
#include "mnist_dist/train/epoch_metrics.hpp"
#include "mnist_dist/train/settings.hpp"

namespace mnist_dist::run {

enum class RunState {
  finished,
  resumable,  ///< stopped or killed before its end
  running     ///< a process has the folder's lock
};

struct PastRun {
  train::Settings settings;
  std::vector<train::EpochMetrics> history;
  std::optional<double> test_accuracy;  ///< of report.json, where that is this model's, on its own data set
  RunState state = RunState::resumable;

  /// The epoch that the model is of; null before the first one is done.
  [[nodiscard]] const train::EpochMetrics* best() const;
};

/// @throws Error file_system: no run, or a file cannot be read; usage: config.toml is wrong; bad_data: another file is
[[nodiscard]] PastRun read_past_run(const std::filesystem::path& path);

struct FoundRun {
  std::filesystem::path path;
  std::int64_t written = 0;    ///< when its settings were written: seconds since 1970
  std::optional<PastRun> run;  ///< nothing where it is damaged
  std::string damage;          ///< what is wrong with it, on one line
};

/// The runs in a folder and in the folders in it, damaged ones too; the newest is the last. Links are not followed;
/// folders in it that cannot be read are passed over. @throws Error (file_system) when the folder itself cannot be
[[nodiscard]] std::vector<FoundRun> find_runs(const std::filesystem::path& folder);

/// Removes what a run has written, and the folder if it is then empty; mends runs/latest, and "latest" beside the run,
/// where they led to it. No link in the folder is followed: the link goes.
/// @param folder to write, so that no other process does  @return the names of the files that were somebody else's
/// @throws Error (file_system) when something cannot be removed; another attempt goes on
std::vector<std::string> remove_run(const RunFolder& folder);

/// In what two runs differ.
struct Difference {
  std::string what;
  std::string first;
  std::string second;

  bool operator==(const Difference&) const = default;
};

[[nodiscard]] std::vector<Difference> differences(const train::Settings& first, const train::Settings& second);

/// The data set, the build, the arithmetic: what else decides on the bits.
[[nodiscard]] std::vector<Difference> differences(const Model& first, const Model& second);

/// SHA-256 of the parameters: equal where two models are the same bits, whatever build trained them.
[[nodiscard]] std::string parameters_sha256(const Model& model);

}  // namespace mnist_dist::run
