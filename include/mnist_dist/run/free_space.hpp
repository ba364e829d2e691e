// Whether a run's files will fit on their disk. Local.
#pragma once

#include <cstdint>

#include "mnist_dist/nn/architecture.hpp"
#include "mnist_dist/run/run_folder.hpp"
#include "mnist_dist/train/settings.hpp"

namespace mnist_dist::run {

/// The most that a run's folder holds at any instant: the checkpoints that are kept and the one being written, the
/// model before and the model after.
[[nodiscard]] std::uint64_t bytes_of_run(const train::Settings& settings, const nn::Architecture& architecture);

/// Looks at what the folder holds already and at what is free on its disk.
/// @throws Error (file_system) when the checkpoints and the model could come to more
void check_free_space(const RunFolder& folder, const train::Settings& settings, const nn::Architecture& architecture);

}  // namespace mnist_dist::run
