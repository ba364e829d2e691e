// Where the time of a training step goes. Local.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

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

/// Divides the time that passes among the phases. Does nothing, and asks for no time, where there is nothing to add to.
class PhaseClock {
 public:
  explicit PhaseClock(StepTimes* times) : times_(times) {
    if (times_ != nullptr) last_ = Clock::now();
  }
  /// The time since the last call belongs to this phase.
  void end_of(StepPhase phase) {
    if (times_ == nullptr) return;
    const Clock::time_point now = Clock::now();
    times_->seconds[static_cast<std::size_t>(phase)] += std::chrono::duration<double>(now - last_).count();
    last_ = now;
  }

 private:
  using Clock = std::chrono::steady_clock;
  StepTimes* times_;
  Clock::time_point last_;
};

}  // namespace mnist_dist::train
