// Times what all ranks do together.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "mnist_dist/comm/communicator.hpp"

namespace mnist_dist::bench {

/// Does something so many times, and gives this rank's seconds: of all that, and then of whatever it consists of.
using TimedWork = std::function<std::vector<double>(std::int64_t repetitions)>;

struct Timing {
  std::int64_t repetitions = 0;                      ///< that were measured
  std::vector<std::vector<double>> seconds_by_rank;  ///< of one repetition, as the work gave them
};

/// The time is cut in a few parts, since other programs disturb some. Which of them counts: the usual one, or the one
/// that shows best what the machine can do.
enum class Part { median, fastest };

/// Collective: has all ranks do the work at the same time for about `seconds`, as often at each of them, after a
/// shorter time in which they warm up. The result is the same at all ranks.
[[nodiscard]] Timing time_together(const comm::Communicator& ranks, double seconds, Part part, const TimedWork& work);

/// Collective: the same for work that is one thing: the seconds until all ranks have done it once. Where ranks share a
/// core, they never work quite at the same time; so the clocks stop when the last one is done.
[[nodiscard]] double time_until_all_done(const comm::Communicator& ranks, double seconds, Part part,
                                         const std::function<void()>& work);

}  // namespace mnist_dist::bench
