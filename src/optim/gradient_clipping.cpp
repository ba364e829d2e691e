#include "mnist_dist/optim/gradient_clipping.hpp"

#include <cmath>
#include <cstddef>
#include <limits>

#include "mnist_dist/core/hot_loop.hpp"

namespace mnist_dist::optim {
namespace {

constexpr std::size_t kLanes = 16;

MNIST_DIST_HOT_LOOP double sum_in_lanes(const float* values, std::size_t count) {
  double lanes[kLanes] = {};
  std::size_t first = 0;
  for (; first + kLanes <= count; first += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double value = values[first + lane];
      lanes[lane] += value * value;
    }
  }
  for (std::size_t lane = 0; first + lane < count; ++lane) {
    const double value = values[first + lane];
    lanes[lane] += value * value;
  }
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  }
  return lanes[0];
}

MNIST_DIST_HOT_LOOP void scale(float factor, std::size_t count, float* values) {
  for (std::size_t i = 0; i < count; ++i) values[i] *= factor;
}

}  // namespace

double sum_of_squares(std::span<const float> values) {
  return sum_in_lanes(values.data(), values.size());
}

double clip_factor(double squared_norm, double limit) {
  if (!std::isfinite(squared_norm)) return std::numeric_limits<double>::quiet_NaN();
  const double norm = std::sqrt(squared_norm);
  return norm > limit ? limit / norm : 1.0;
}

void scale_gradient(double factor, std::span<float> gradient) {
  scale(static_cast<float>(factor), gradient.size(), gradient.data());
}

}  // namespace mnist_dist::optim
