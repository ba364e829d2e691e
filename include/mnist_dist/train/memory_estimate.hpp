// How much memory a training takes, before it takes any. Local, but for the second check_memory().
#pragma once

#include <cstddef>

#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/nn/architecture.hpp"
#include "mnist_dist/train/settings.hpp"

namespace mnist_dist::train {

/// Bytes on one host, over all of its ranks: what --hidden and --batch-size decide. The least that a training takes:
/// images, libraries and what is written come on top.
struct MemoryEstimate {
  double parameters = 0;   ///< the copy that the host's ranks share, and the initial values, which every rank forms
  double optimizer = 0;    ///< moments, and the moving average, of the parameters that the host's ranks own
  double activations = 0;  ///< each rank's, and their gradients, for the rows of its shards in a step; and messages
                           ///< between hosts: where the settings leave it open, those that take more
  [[nodiscard]] double total() const { return parameters + optimizer + activations; }
};

/// Vectors of parameters' size that the optimiser keeps: its moments, and the moving average where there is one.
[[nodiscard]] std::size_t optimizer_vectors(const Settings& settings);

/// @param training_rows a step has no more rows than these, whatever the batch size
/// @param ranks_of_host those of the `ranks` that share this host
[[nodiscard]] MemoryEstimate estimate_memory(const Settings& settings, const nn::Architecture& architecture,
                                             std::size_t training_rows, int ranks, int ranks_of_host);

/// @param memory of the host, in bytes  @throws Error (usage) when the estimate is more
void check_estimate(const MemoryEstimate& estimate, const Settings& settings, int ranks_of_host, double memory);

/// This host's estimate for a training on a file against its memory.
/// @throws Error (usage) when it is more; also when there are more ranks than shards
void check_memory(int ranks, int ranks_of_host, const Settings& settings, const data::DatasetFile& file);

/// Collective over `ranks`: each host's estimate against its memory. Nothing is read or allocated yet.
/// @throws AgreedError (usage) at all ranks; also when there are more ranks than shards
void check_memory(const comm::Communicator& ranks, const comm::Communicator& host, const Settings& settings,
                  const data::DatasetFile& file);

}  // namespace mnist_dist::train
