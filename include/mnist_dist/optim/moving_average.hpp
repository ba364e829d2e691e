// The exponential moving average of the parameters, which often classifies better than the parameters themselves
// (Polyak & Juditsky, "Acceleration of stochastic approximation by averaging", 1992, for the plain mean). Local,
// element by element: each rank keeps the average of the range that it updates.
#pragma once

#include <cstdint>
#include <span>

namespace mnist_dist::optim {

/// Local: the decay that a step uses, min(decay, (1 + step) / (10 + step)), so that the initial parameters are soon
/// forgotten (TensorFlow's ExponentialMovingAverage with num_updates). Step 1 gets at most 2 / 11.
/// @param decay the part of the average that stays in a step, 0 to 1  @param step from 1
[[nodiscard]] double moving_average_decay(double decay, std::int64_t step);

/// Local: average += (1 - decay) (parameters - average). Both spans have the same size. Before the first step the
/// average is the initial parameters. A change below about 6e-8 / (1 - decay) of the average is lost to rounding.
/// @param decay of this step, from moving_average_decay()
void update_moving_average(double decay, std::span<const float> parameters, std::span<float> average);

}  // namespace mnist_dist::optim
