// What a run reached, as people read it. Local.
#pragma once

#include <string>

#include "mnist_dist/run/past_run.hpp"

namespace mnist_dist::cli {

/// "-" where there is none.
struct RunResults {
  std::string state;
  std::string epochs;  ///< that are done
  std::string best_epoch;
  std::string score;
  std::string holdout_accuracy;
  std::string loss;
  std::string test_accuracy;
  std::string seconds;
};

[[nodiscard]] RunResults results_of(const run::PastRun& run);

}  // namespace mnist_dist::cli
