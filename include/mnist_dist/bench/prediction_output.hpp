// What `mnist-dist bench --predict` prints. Local.
#pragma once

#include <string>
#include <vector>

#include "mnist_dist/bench/benchmark_output.hpp"
#include "mnist_dist/bench/probe.hpp"

namespace mnist_dist::bench {

/// What is predicted, and from what.
struct Forecast {
  Probe probe;
  ScalingTable table;
  int ranks_per_host = 1;             ///< of a full host
  bool ranks_per_host_given = false;  ///< by the user; otherwise they are the processors of this machine
  int processors = 1;                 ///< of this machine
};

/// What the prediction takes for granted, a sentence or two each.
[[nodiscard]] std::vector<std::string> assumptions(const Forecast& forecast);

/// A table for people, each line ended by a newline; so is the JSON.
[[nodiscard]] std::string forecast_text(const Forecast& forecast, const Subject& subject);

/// One JSON object with all figures, and the machine. Units stand in the names.
[[nodiscard]] std::string forecast_json(const Forecast& forecast, const Subject& subject);

}  // namespace mnist_dist::bench
