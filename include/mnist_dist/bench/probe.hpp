// Measures what a rank's work costs on this machine, for predictions.
#pragma once

#include "mnist_dist/bench/prediction.hpp"
#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/train/settings.hpp"
#include "mnist_dist/train/training_data.hpp"

namespace mnist_dist::bench {

struct Probe {
  Costs costs;
  Job job;
};

/// Collective over a host, which sends nothing to other hosts: trains with batches and microbatches of several sizes
/// for about `seconds`, first with all its ranks at once, then with its first alone. The result is that of the host's
/// rank 0.
/// @param data this rank's, where the host's ranks share all shards  @param file where it is from
/// @throws Error: it cannot be read again, or memory gives out. At one rank, which is to end the job: the host's other
/// ranks wait for that, and other hosts have not heard of it.
[[nodiscard]] Probe probe(const comm::Communicator& host, const train::Settings& settings,
                          const data::DatasetFile& file, train::TrainingData data, double seconds);

}  // namespace mnist_dist::bench
