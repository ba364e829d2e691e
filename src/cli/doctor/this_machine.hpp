// What the system tells of this machine. Local.
#pragma once

#include <vector>

namespace mnist_dist::cli {

/// The hardware threads on which this process may run, by the system's numbers, in order.
[[nodiscard]] std::vector<int> usable_cpus();

/// The hardware threads of each core; none where the system does not tell.
[[nodiscard]] std::vector<std::vector<int>> cores_of_machine();

/// Whether munge's daemon can be asked.
[[nodiscard]] bool munge_answers();

}  // namespace mnist_dist::cli
