#include "run_results.hpp"

#include <fmt/format.h>

#include <cmath>

namespace mnist_dist::cli {
namespace {

std::string name_of_state(run::RunState state) {
  switch (state) {
    case run::RunState::finished:
      return "finished";
    case run::RunState::running:
      return "running";
    case run::RunState::resumable:
      break;
  }
  return "can be resumed";
}

std::string number(double value, int digits) {
  return std::isnan(value) ? "-" : fmt::format("{:.{}f}", value, digits);
}

std::string percent(double share) {
  return std::isnan(share) ? "-" : fmt::format("{:.2f} %", 100 * share);
}

}  // namespace

RunResults results_of(const run::PastRun& run) {
  RunResults results{.state = name_of_state(run.state),
                     .epochs = fmt::format("{}", run.history.size()),
                     .best_epoch = "-",
                     .score = "-",
                     .holdout_accuracy = "-",
                     .loss = "-",
                     .test_accuracy = run.test_accuracy ? percent(*run.test_accuracy) : "-",
                     .seconds = number(train::total_seconds(run.history), 1)};
  if (const train::EpochMetrics* best = run.best()) {
    results.best_epoch = fmt::format("{}", best->epoch);
    results.score = number(best->score, 5);
    results.holdout_accuracy = percent(best->accuracy);
    results.loss = number(best->loss, 5);
  }
  return results;
}

}  // namespace mnist_dist::cli
