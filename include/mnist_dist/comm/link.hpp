// What messages between two ranks cost.
#pragma once

#include <cstddef>

#include "mnist_dist/comm/communicator.hpp"

namespace mnist_dist::comm {

/// The way from one rank to another, by the model of Hockney (1994): a message of n bytes takes
/// latency + n / bytes_per_second.
struct Link {
  double latency = 0;  ///< seconds
  double bytes_per_second = 0;

  [[nodiscard]] double seconds(double bytes) const { return latency + bytes / bytes_per_second; }
};

/// Collective over `ranks`: the link between two of them, while both send, at all ranks; measured in about a tenth of a
/// second (longer where it is slow). @param one, other two different ranks
[[nodiscard]] Link measure_link(const Communicator& ranks, int one, int other);

}  // namespace mnist_dist::comm
