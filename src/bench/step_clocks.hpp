// Times a trainer's steps.
#pragma once

#include "mnist_dist/bench/benchmark.hpp"
#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/train/step_times.hpp"
#include "mnist_dist/train/trainer.hpp"

namespace mnist_dist::bench {

/// Collective: trains for about `seconds`, half of them with clocks between the phases. The result is the same at all
/// ranks; it has no rows, and no time for saving. @param times where the trainer's steps add theirs from
/// now on: outlives the steps
[[nodiscard]] StepCost time_steps(const comm::Communicator& ranks, train::Trainer& trainer, train::StepTimes& times,
                                  double seconds);

}  // namespace mnist_dist::bench
