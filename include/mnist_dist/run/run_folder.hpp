// The folder of a run: where its files lie, and how it comes to be. Local: rank 0 alone makes and writes it.
//
//   config.toml    every setting, for `mnist-dist train --config`
//   metrics.csv    a row per epoch          metrics.jsonl  the same and more
//   model.h5       the best parameters      checkpoints/   what --resume goes on from
//   report.json, report-holdout.json, report.html    from `mnist-dist evaluate` and `report`
//   .lock          one process at a time writes the folder
// In the working folder, the link runs/latest leads to the run trained last, wherever it lies.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "mnist_dist/train/settings.hpp"

namespace mnist_dist::run {

class FolderLock;

inline constexpr const char* kLatest = "runs/latest";

class RunFolder {
 public:
  /// An existing run, to read. @throws Error (file_system) when there is no config.toml in it
  static RunFolder open(const std::filesystem::path& path);
  /// An existing run, to go on with: no other process can write there as long as this object or a copy lives.
  /// @throws Error (file_system) as open() does, or when another process writes there
  static RunFolder open_for_writing(const std::filesystem::path& path);
  /// A new run at `path`, or at runs/<UTC time> when it is empty, to write; writes config.toml.
  /// @throws Error usage: there is a run already; file_system: it cannot be made, or another process writes there
  static RunFolder create(std::filesystem::path path, const train::Settings& settings);

  /// Local. That create() could make a run there, as far as another run is concerned. @throws Error (usage)
  static void check_holds_no_run(const std::filesystem::path& path);

  /// Of a folder to write: it is the run trained last. What else is called runs/latest than a link stays.
  /// @throws Error (file_system) when the link cannot be made
  void become_latest() const;
  /// Of a folder to write. @throws Error (file_system) when it is no longer the one that was opened or made
  void check_still_there() const;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path config() const { return path_ / "config.toml"; }
  [[nodiscard]] std::filesystem::path metrics_csv() const { return path_ / "metrics.csv"; }
  [[nodiscard]] std::filesystem::path metrics_jsonl() const { return path_ / "metrics.jsonl"; }
  [[nodiscard]] std::filesystem::path model() const { return path_ / "model.h5"; }
  [[nodiscard]] std::filesystem::path report() const { return path_ / "report.json"; }
  [[nodiscard]] std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }

 private:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}
  /// @param check may throw, and then nobody has been kept out
  static RunFolder locked(std::filesystem::path path, const std::function<void(const RunFolder&)>& check);

  std::filesystem::path path_;
  std::shared_ptr<const FolderLock> lock_;  // of a folder to write
};

/// Makes runs/<UTC time>, a folder that nobody else has made, however many runs start in this second: for create().
/// @throws Error (file_system)
[[nodiscard]] std::filesystem::path make_run_folder();

/// Leads a link whose run was removed to the newest run beside it; where there is none, the link goes. One that leads
/// to a run stays. @throws Error (file_system)
void mend_link(const std::filesystem::path& link);

/// The folder of the run trained last from this working folder: relative to it where it lies below.
/// @throws Error (file_system) when there is none
[[nodiscard]] std::filesystem::path newest_run();

}  // namespace mnist_dist::run
