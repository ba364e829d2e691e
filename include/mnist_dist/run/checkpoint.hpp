// A checkpoint: the state of training, and what else a run needs to go on from it. Local.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "mnist_dist/train/epoch_metrics.hpp"
#include "mnist_dist/train/trainer_state.hpp"

namespace mnist_dist::run {

inline constexpr const char* kCheckpointFormat = "mnist-dist checkpoint";

/// A run that is resumed keeps its settings: other ones would give neither this run's bits nor another's. More epochs
/// only move its end, as other conditions to stop do, the data set may have been moved, and checkpoints may become more
/// frequent. Hosts may exchange something else: the bits are the same.
inline const std::set<std::string> kMayChange = {"epochs", "window",           "min-change",
                                                 "data",   "checkpoint-every", "exchange"};

struct Checkpoint {
  std::string settings;  ///< TOML
  std::string dataset_sha256;
  std::string build;
  std::string arithmetic;

  train::TrainerState state;
  std::vector<float> best_parameters;        ///< [parameters]; empty before the first epoch is done
  std::vector<train::EpochMetrics> history;  ///< one per finished epoch
};

/// As HDF5, sealed (core/sealed_bytes.hpp): /parameters, /first_moment, /second_moment, /average, /best_parameters f32;
/// /shard_losses f64; /history/<column>; the rest are root attributes (format "mnist-dist checkpoint", format_version
/// 3). What there is none of is empty.
[[nodiscard]] std::vector<std::byte> encode_checkpoint(const Checkpoint& checkpoint);

/// @param name what errors call the bytes  @throws Error (bad_data)
[[nodiscard]] Checkpoint decode_checkpoint(std::span<const std::byte> bytes, const std::string& name);

}  // namespace mnist_dist::run
