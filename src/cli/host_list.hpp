// Which hosts take part in a job, with which ranks, and the lines that tell it.
#pragma once

#include <string>
#include <vector>

#include "mnist_dist/comm/communicator.hpp"

namespace mnist_dist::cli {

/// One host of the job.
struct HostRanks {
  std::string name;
  std::vector<int> ranks;  ///< by the launcher's numbers, ascending
  std::string vectors;     ///< of its kernels, such as "AVX-512"
};

/// Collective: everybody's text, by rank; at rank 0, and nothing elsewhere.
[[nodiscard]] std::vector<std::string> gather_texts(const comm::Communicator& ranks, const std::string& mine);

/// Collective: the hosts in the order of their first ranks; at rank 0, and none elsewhere.
/// @param host the ranks that share this rank's memory
[[nodiscard]] std::vector<HostRanks> gather_hosts(const comm::Communicator& world, const comm::Communicator& host);

/// Local: a line for each of up to eight hosts; of more, a line for those that are alike but for their names.
[[nodiscard]] std::vector<std::string> host_lines(const std::vector<HostRanks>& hosts);

}  // namespace mnist_dist::cli
