#include "step_clocks.hpp"

#include <chrono>
#include <cstdint>
#include <vector>

#include "rank_clocks.hpp"

namespace mnist_dist::bench {

StepCost time_steps(const comm::Communicator& ranks, train::Trainer& trainer, train::StepTimes& times, double seconds) {
  StepCost cost;
  cost.seconds = time_until_all_done(ranks, seconds / 2, Part::median, [&] { trainer.run_unscored_steps(1); });
  trainer.measure(times);
  const Timing timing = time_together(ranks, seconds / 2, Part::median, [&](std::int64_t steps) {
    times = {};
    const auto start = std::chrono::steady_clock::now();
    trainer.run_unscored_steps(steps);
    std::vector<double> figures = {std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()};
    figures.insert(figures.end(), times.seconds.begin(), times.seconds.end());
    return figures;
  });
  cost.phases = phase_costs_of(timing.seconds_by_rank);
  cost.steps = timing.repetitions;
  return cost;
}

}  // namespace mnist_dist::bench
