// When training is over. Local; a function of the history alone, so a resumed run decides alike.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mnist_dist/train/epoch_metrics.hpp"
#include "mnist_dist/train/settings.hpp"

namespace mnist_dist::train {

/// Why training is over after these epochs, for people; nothing while it goes on.
[[nodiscard]] std::optional<std::string> stop_reason(const std::vector<EpochMetrics>& history,
                                                     const Settings& settings);

}  // namespace mnist_dist::train
