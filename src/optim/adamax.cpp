#include "mnist_dist/optim/adamax.hpp"

#include <cmath>
#include <cstddef>

#include "mnist_dist/core/hot_loop.hpp"

namespace mnist_dist::optim {
namespace {

struct Factors {
  float beta1;
  float one_minus_beta1;
  float beta2;
  float epsilon;
  float step_size;
};

MNIST_DIST_HOT_LOOP void update(const Factors& factors, std::size_t count, const float* __restrict gradient,
                                float* __restrict first_moment, float* __restrict infinity_norm,
                                float* __restrict parameters) {
  const Factors f = factors;
  for (std::size_t i = 0; i < count; ++i) {
    const float g = gradient[i];
    const float m = f.beta1 * first_moment[i] + f.one_minus_beta1 * g;
    const float decayed = f.beta2 * infinity_norm[i];
    const float magnitude = std::fabs(g) + f.epsilon;
    const float u = decayed > magnitude ? decayed : magnitude;
    first_moment[i] = m;
    infinity_norm[i] = u;
    parameters[i] -= f.step_size * (m / u);
  }
}

MNIST_DIST_HOT_LOOP void add_scaled(float factor, std::size_t count, const float* __restrict values,
                                    float* __restrict sums) {
  for (std::size_t i = 0; i < count; ++i) sums[i] += factor * values[i];
}

}  // namespace

void adamax_step(const AdaMaxSettings& settings, std::int64_t step, std::span<const float> gradient,
                 std::span<float> first_moment, std::span<float> infinity_norm, std::span<float> parameters) {
  const double correction = 1.0 - std::pow(settings.beta1, static_cast<double>(step));
  const Factors factors{.beta1 = static_cast<float>(settings.beta1),
                        .one_minus_beta1 = static_cast<float>(1.0 - settings.beta1),
                        .beta2 = static_cast<float>(settings.beta2),
                        .epsilon = static_cast<float>(settings.epsilon),
                        .step_size = static_cast<float>(settings.learning_rate / correction)};
  update(factors, parameters.size(), gradient.data(), first_moment.data(), infinity_norm.data(), parameters.data());
}

void add_l2_penalty(double penalty, std::span<const float> parameters, std::span<float> gradient) {
  add_scaled(static_cast<float>(penalty), parameters.size(), parameters.data(), gradient.data());
}

}  // namespace mnist_dist::optim
