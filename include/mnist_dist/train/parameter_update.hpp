// From the gradient to new parameters, for the range that a rank owns: penalty, clipping, optimiser, moving average;
// and the values that these keep for each parameter. Local.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "mnist_dist/core/parameter_range.hpp"
#include "mnist_dist/nn/network.hpp"
#include "mnist_dist/optim/learning_rate_schedule.hpp"
#include "mnist_dist/optim/optimizer.hpp"
#include "mnist_dist/train/settings.hpp"

namespace mnist_dist::train {

class ParameterUpdate {
 public:
  /// @param range of the parameters that this rank owns  @param steps_per_epoch for the schedule. `network` outlives
  /// this.
  ParameterUpdate(const Settings& settings, const nn::Network& network, ParameterRange range,
                  std::size_t steps_per_epoch);

  /// What is kept for each parameter, [range.size()]; part of a checkpoint. The second moment and the average are empty
  /// where none is kept.
  struct State {
    std::vector<float> first_moment;
    std::vector<float> second_moment;
    std::vector<float> average;
  };
  [[nodiscard]] const State& state() const { return state_; }
  [[nodiscard]] State& state() { return state_; }
  [[nodiscard]] bool has_second_moment() const { return optim::has_second_moment(optimizer_.kind); }
  [[nodiscard]] bool keeps_average() const { return settings_.average > 0; }
  /// The average begins at the initial parameters. @param parameters [range.size()]
  void begin_average(std::span<const float> parameters);

  /// @param step the number of the step whose blocks come next, from 1
  /// @param gradient_factor what their gradients are multiplied by first
  void begin_step(std::int64_t step, double gradient_factor);
  /// Updates one of the network's blocks. @param gradient its sum over all shards, used up
  void apply(const ParameterRange& block, std::span<float> gradient, std::span<float> parameters);

 private:
  [[nodiscard]] bool holds_weights(const ParameterRange& block) const;

  const Settings& settings_;
  const nn::Network& network_;
  ParameterRange range_;
  optim::OptimizerSettings optimizer_;
  optim::ScheduleSettings schedule_;
  State state_;
  std::int64_t step_ = 0;
  double learning_rate_ = 0;
  double gradient_factor_ = 1;
};

}  // namespace mnist_dist::train
