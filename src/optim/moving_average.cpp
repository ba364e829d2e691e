#include "mnist_dist/optim/moving_average.hpp"

#include <algorithm>
#include <cstddef>

#include "mnist_dist/core/hot_loop.hpp"

namespace mnist_dist::optim {
namespace {

MNIST_DIST_HOT_LOOP void approach(float share, std::size_t count, const float* __restrict parameters,
                                  float* __restrict average) {
  for (std::size_t i = 0; i < count; ++i) average[i] += share * (parameters[i] - average[i]);
}

}  // namespace

double moving_average_decay(double decay, std::int64_t step) {
  const auto t = static_cast<double>(step);
  return std::min(decay, (1.0 + t) / (10.0 + t));
}

void update_moving_average(double decay, std::span<const float> parameters, std::span<float> average) {
  approach(static_cast<float>(1.0 - decay), average.size(), parameters.data(), average.data());
}

}  // namespace mnist_dist::optim
