// What messages between hosts cost.
#pragma once

#include <cstddef>

#include "mnist_dist/comm/communicator.hpp"

namespace mnist_dist::comm {

/// The way from one host to another, by the model of Hockney (1994): a message of n bytes takes
/// latency + n / bytes_per_second.
struct Link {
  double latency = 0;  ///< seconds
  double bytes_per_second = 0;

  [[nodiscard]] double seconds(double bytes) const { return latency + bytes / bytes_per_second; }
};

/// Collective: how many bytes a second come through while all hosts send at once, each to the next one: at the slowest
/// of them; and the latency from the first to the last. The same at all ranks. Takes some hundredths of a second,
/// longer where a link is slow. @param hosts a rank of each, at least two
[[nodiscard]] Link measure_link(const Communicator& hosts);
/// Collective over `ranks`: the same, of the hosts that these are on. @param host the ranks that share this rank's host
[[nodiscard]] Link measure_link(const Communicator& ranks, const Communicator& host);

}  // namespace mnist_dist::comm
