// The training that `launch` starts, and starts again. Local.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/run/checkpoint.hpp"
#include "mnist_dist/run/checkpoint_store.hpp"
#include "mnist_dist/run/past_run.hpp"

namespace mnist_dist::cli {

using Words = std::vector<std::string>;

/// A training that can be started again: where it goes, and how. Removes a folder that it has made for nothing.
class Training {
 public:
  /// @param command `train` and what follows  @return null where these words train nothing, or nothing of this run
  /// @throws Error usage: there are more ranks than shards, or --config is wrong; file_system: no such file or run
  static std::unique_ptr<Training> of(const Words& command, int ranks);
  Training(const Training&) = delete;
  Training& operator=(const Training&) = delete;
  ~Training() {
    std::error_code ignored;
    if (made_) std::filesystem::remove(run_, ignored);  // stays unless it is empty
  }

  [[nodiscard]] std::string name() const { return printable(run_.string()); }
  [[nodiscard]] bool has_begun() const { return std::filesystem::exists(run_ / "config.toml"); }
  [[nodiscard]] bool is_written() const {
    return has_begun() && run::read_past_run(run_).state == run::RunState::running;
  }
  /// Of what mpirun starts; 0 for none.
  [[nodiscard]] std::chrono::seconds hang_timeout() const { return hang_timeout_; }
  /// What mpirun is to start now.
  [[nodiscard]] const Words& words() const { return has_begun() ? resuming_ : first_; }
  /// Of the newest whole checkpoint; nothing where there is none. @throws Error
  [[nodiscard]] std::optional<std::int64_t> newest_step() const {
    if (!has_begun()) return std::nullopt;
    const auto bytes = run::CheckpointStore(run_ / "checkpoints").load_newest();
    if (!bytes) return std::nullopt;
    return run::decode_checkpoint(*bytes, name()).state.steps_done;
  }

 private:
  Training(std::filesystem::path run, Words first, Words resuming, std::chrono::seconds hang_timeout, bool made)
      : run_(std::move(run)),
        first_(std::move(first)),
        resuming_(std::move(resuming)),
        hang_timeout_(hang_timeout),
        made_(made) {}

  std::filesystem::path run_;
  Words first_;
  Words resuming_;
  std::chrono::seconds hang_timeout_;
  bool made_;
};

}  // namespace mnist_dist::cli
