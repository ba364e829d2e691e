// Where the time of a training step goes. Local.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <numeric>

namespace mnist_dist::train {

/// The parts of Trainer::step(), in their order.
enum class StepPhase : std::size_t {
  load,      ///< rows into the batch, scaled
  forward,   ///< with the loss
  backward,  ///< down to the deltas of the first layer
  gradient,  ///< of this rank's parameters, summed over the shards
  update,    ///< of this rank's parameters
  wait,      ///< for other ranks, and what is sent between hosts (or by MPI_Allreduce)
};
inline constexpr std::size_t kStepPhases = 6;
/// By StepPhase.
inline constexpr std::array<const char*, kStepPhases> kStepPhaseNames = {"load",     "forward", "backward",
                                                                         "gradient", "update",  "wait"};

/// Sums over the steps of one rank.
struct StepTimes {
  std::array<double, kStepPhases> seconds{};  ///< by StepPhase
  std::int64_t steps = 0;
};

/// Adds the time of its life to a phase, less that of the timers within it. Does nothing, and asks for no time, where
/// there is nothing to add to.
class PhaseTimer {
 public:
  PhaseTimer(StepTimes* times, StepPhase phase) : times_(times), phase_(static_cast<std::size_t>(phase)) {
    if (times_ == nullptr) return;
    start_ = Clock::now();
    before_ = total();
  }
  PhaseTimer(const PhaseTimer&) = delete;
  PhaseTimer& operator=(const PhaseTimer&) = delete;
  ~PhaseTimer() {
    if (times_ == nullptr) return;
    const double within = total() - before_;
    times_->seconds[phase_] += std::chrono::duration<double>(Clock::now() - start_).count() - within;
  }

 private:
  using Clock = std::chrono::steady_clock;
  [[nodiscard]] double total() const { return std::accumulate(times_->seconds.begin(), times_->seconds.end(), 0.0); }

  StepTimes* times_;
  std::size_t phase_;
  Clock::time_point start_;
  double before_ = 0;  // seconds of all phases
};

}  // namespace mnist_dist::train
