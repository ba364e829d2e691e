// The whole state of a training run between two steps. Local.
//
// It holds nothing per rank, so any number of ranks can go on from it. Random numbers have no state (they are counted
// from seed, epoch and row), so none is saved.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mnist_dist/train/metrics.hpp"

namespace mnist_dist::train {

inline constexpr const char* kCheckpointFormat = "mnist-dist checkpoint";

struct Checkpoint {
  std::string settings;  ///< TOML
  std::string dataset_sha256;
  std::string build;
  std::string arithmetic;

  std::int64_t epochs_done = 0;
  std::int64_t steps_done = 0;           ///< since the start of the run: the optimiser's step number
  std::int64_t steps_done_in_epoch = 0;  ///< of the epoch that has begun; 0 between epochs
  double seconds_in_epoch = 0;           ///< spent on them
  std::vector<double> shard_losses;      ///< [shards]: sums over the rows of the begun epoch

  std::vector<float> parameters;       ///< [parameters], as are the next ones
  std::vector<float> first_moment;     ///< of the optimiser
  std::vector<float> second_moment;    ///< of the optimiser; AdaMax's u; empty where it has none (SGD)
  std::vector<float> average;          ///< the parameters' moving average; empty where none is kept
  std::vector<float> best_parameters;  ///< empty before the first epoch is done
  std::vector<EpochMetrics> history;   ///< one per finished epoch
};

/// As HDF5: /parameters, /first_moment, /second_moment, /average, /best_parameters f32; /shard_losses f64; /history/<column>;
/// the rest are root attributes (format "mnist-dist checkpoint", format_version 3). What there is none of is empty.
[[nodiscard]] std::vector<std::byte> encode_checkpoint(const Checkpoint& checkpoint);

/// @param name what errors call the bytes  @throws Error (bad_data)
[[nodiscard]] Checkpoint decode_checkpoint(std::span<const std::byte> bytes, const std::string& name);

}  // namespace mnist_dist::train
