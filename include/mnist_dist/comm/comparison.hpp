// What all ranks must have in common, such as settings and data, compared before it matters. A launcher can start
// different programs with different options, and a host can have an old copy of a file.
#pragma once

#include <string>
#include <vector>

#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/core/error.hpp"

namespace mnist_dist::comm {

/// Something that is the same at all ranks, or must not go on.
struct Common {
  std::string what;   ///< as a sentence begins with it, such as "--seed"
  std::string value;  ///< at this rank
};

/// Collective. @param mine may differ in its length, too
/// @throws AgreedError (exit_code) when a rank has another list than rank 0: the first difference with both values,
/// both ranks and their hosts
void check_alike(const Communicator& ranks, const std::vector<Common>& mine, ExitCode exit_code);

}  // namespace mnist_dist::comm
