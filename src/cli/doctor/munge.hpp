// Whether munge, by which Open MPI's processes know each other, can be asked. Local.
#pragma once

namespace mnist_dist::cli {

/// Whether munge's daemon can be asked.
[[nodiscard]] bool munge_answers();

}  // namespace mnist_dist::cli
