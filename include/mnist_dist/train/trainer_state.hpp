// The state of training between two steps: what a trainer needs, with its settings and data, to go on. Local.
//
// It holds nothing per rank, so any number of ranks can go on from it. Random numbers have no state (they are counted
// from seed, epoch and row), so none is saved.
#pragma once

#include <cstdint>
#include <vector>

namespace mnist_dist::train {

struct TrainerState {
  std::int64_t epochs_done = 0;
  std::int64_t steps_done = 0;           ///< since the start of the run: the optimiser's step number
  std::int64_t steps_done_in_epoch = 0;  ///< of the epoch that has begun; 0 between epochs
  double seconds_in_epoch = 0;           ///< spent on them
  std::vector<double> shard_losses;      ///< [shards]: sums over the rows of the begun epoch

  std::vector<float> parameters;     ///< [parameters], as are the next ones
  std::vector<float> first_moment;   ///< of the optimiser
  std::vector<float> second_moment;  ///< of the optimiser; AdaMax's u; empty where it has none (SGD)
  std::vector<float> average;        ///< the parameters' moving average; empty where none is kept
};

}  // namespace mnist_dist::train
