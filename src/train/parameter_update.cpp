#include "mnist_dist/train/parameter_update.hpp"

#include <algorithm>

#include "mnist_dist/core/memory.hpp"
#include "mnist_dist/optim/gradient_clipping.hpp"
#include "mnist_dist/optim/moving_average.hpp"

namespace mnist_dist::train {
ParameterUpdate::ParameterUpdate(const Settings& settings, const nn::Network& network, ParameterRange range,
                                 std::size_t steps_per_epoch)
    : settings_(settings),
      network_(network),
      range_(range),
      optimizer_{.kind = optimizer_of(settings),
                 .beta1 = settings.beta1,
                 .beta2 = settings.beta2,
                 .momentum = settings.momentum},
      schedule_(schedule_settings(settings, steps_per_epoch)) {
  resize_for("the optimiser's moments", state_.first_moment, range.size());
  if (has_second_moment()) resize_for("the optimiser's moments", state_.second_moment, range.size());
}

void ParameterUpdate::begin_average(std::span<const float> parameters) {
  state_.average.assign(parameters.begin(), parameters.end());
}

void ParameterUpdate::begin_step(std::int64_t step, double gradient_factor) {
  step_ = step;
  learning_rate_ = optim::learning_rate(schedule_, settings_.learning_rate, step);
  gradient_factor_ = gradient_factor;
}

bool ParameterUpdate::holds_weights(const ParameterRange& block) const {
  return std::ranges::none_of(network_.layers(), [&](const nn::Layer& layer) { return layer.biases.contains(block); });
}

void ParameterUpdate::apply(const ParameterRange& block, std::span<float> gradient, std::span<float> parameters) {
  const bool weights = holds_weights(block);
  const ParameterRange local{block.begin - range_.begin, block.end - range_.begin};
  optim::scale_gradient(gradient_factor_, gradient);
  if (settings_.output_l2 > 0 && network_.layers().back().weights.contains(block)) {
    optim::add_l2_penalty(settings_.output_l2, parameters, gradient);
  }
  optim::optimizer_step(
      optimizer_,
      {.step = step_, .learning_rate = learning_rate_, .weight_decay = weights ? settings_.weight_decay : 0}, gradient,
      local.of(std::span(state_.first_moment)),
      has_second_moment() ? local.of(std::span(state_.second_moment)) : std::span<float>(), parameters);
  if (keeps_average()) {
    optim::update_moving_average(optim::moving_average_decay(settings_.average, step_), parameters,
                                 local.of(std::span(state_.average)));
  }
}

}  // namespace mnist_dist::train
