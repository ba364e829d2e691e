#include "mnist_dist/optim/optimizer.hpp"

#include <cmath>
#include <cstddef>

#include "mnist_dist/core/hot_loop.hpp"
#include "mnist_dist/optim/adamax.hpp"

namespace mnist_dist::optim {
namespace {

struct AdamFactors {
  float beta1;
  float one_minus_beta1;
  float beta2;
  float one_minus_beta2;
  float root_correction;  // 1 / sqrt(1 - beta2^step)
  float epsilon;
  float step_size;
};

MNIST_DIST_HOT_LOOP void update_adam(const AdamFactors& factors, std::size_t count, const float* __restrict gradient,
                                     float* __restrict first_moment, float* __restrict second_moment,
                                     float* __restrict parameters) {
  const AdamFactors f = factors;
  for (std::size_t i = 0; i < count; ++i) {
    const float g = gradient[i];
    const float m = f.beta1 * first_moment[i] + f.one_minus_beta1 * g;
    const float v = f.beta2 * second_moment[i] + f.one_minus_beta2 * (g * g);
    first_moment[i] = m;
    second_moment[i] = v;
    parameters[i] -= f.step_size * (m / (std::sqrt(v) * f.root_correction + f.epsilon));
  }
}

MNIST_DIST_HOT_LOOP void update_sgd(float momentum, float learning_rate, std::size_t count,
                                    const float* __restrict gradient, float* __restrict velocity,
                                    float* __restrict parameters) {
  for (std::size_t i = 0; i < count; ++i) {
    const float v = momentum * velocity[i] + gradient[i];
    velocity[i] = v;
    parameters[i] -= learning_rate * v;
  }
}

MNIST_DIST_HOT_LOOP void decay_weights(float share, std::size_t count, float* parameters) {
  for (std::size_t i = 0; i < count; ++i) parameters[i] -= share * parameters[i];
}

void adam_step(const OptimizerSettings& settings, const StepSettings& step, std::span<const float> gradient,
               std::span<float> first_moment, std::span<float> second_moment, std::span<float> parameters) {
  const auto t = static_cast<double>(step.step);
  const double first_correction = 1.0 - std::pow(settings.beta1, t);
  const double second_correction = 1.0 - std::pow(settings.beta2, t);
  const AdamFactors factors{.beta1 = static_cast<float>(settings.beta1),
                            .one_minus_beta1 = static_cast<float>(1.0 - settings.beta1),
                            .beta2 = static_cast<float>(settings.beta2),
                            .one_minus_beta2 = static_cast<float>(1.0 - settings.beta2),
                            .root_correction = static_cast<float>(1.0 / std::sqrt(second_correction)),
                            .epsilon = static_cast<float>(settings.epsilon),
                            .step_size = static_cast<float>(step.learning_rate / first_correction)};
  update_adam(factors, parameters.size(), gradient.data(), first_moment.data(), second_moment.data(),
              parameters.data());
}

}  // namespace

bool has_second_moment(OptimizerKind kind) {
  return kind != OptimizerKind::sgd;
}

void optimizer_step(const OptimizerSettings& settings, const StepSettings& step, std::span<const float> gradient,
                    std::span<float> first_moment, std::span<float> second_moment, std::span<float> parameters) {
  if (step.weight_decay != 0) {
    decay_weights(static_cast<float>(step.learning_rate * step.weight_decay), parameters.size(), parameters.data());
  }
  switch (settings.kind) {
    case OptimizerKind::adamax:
      adamax_step({.learning_rate = step.learning_rate,
                   .beta1 = settings.beta1,
                   .beta2 = settings.beta2,
                   .epsilon = settings.epsilon},
                  step.step, gradient, first_moment, second_moment, parameters);
      return;
    case OptimizerKind::adam:
      adam_step(settings, step, gradient, first_moment, second_moment, parameters);
      return;
    case OptimizerKind::sgd:
      update_sgd(static_cast<float>(settings.momentum), static_cast<float>(step.learning_rate), parameters.size(),
                 gradient.data(), first_moment.data(), parameters.data());
      return;
  }
}

}  // namespace mnist_dist::optim
