#include "mnist_dist/optim/optimizer.hpp"

#include <cmath>
#include <cstddef>

#include "mnist_dist/core/hot_loop.hpp"

namespace mnist_dist::optim {
namespace {

struct AdaMaxFactors {
  float beta1;
  float one_minus_beta1;
  float beta2;
  float epsilon;
  float step_size;
};

MNIST_DIST_HOT_LOOP void update_adamax(const AdaMaxFactors& factors, std::size_t count,
                                       const float* __restrict gradient, float* __restrict first_moment,
                                       float* __restrict infinity_norm, float* __restrict parameters) {
  const AdaMaxFactors f = factors;
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

MNIST_DIST_HOT_LOOP void add_scaled(float factor, std::size_t count, const float* __restrict values,
                                    float* __restrict sums) {
  for (std::size_t i = 0; i < count; ++i) sums[i] += factor * values[i];
}

void adamax_step(const OptimizerSettings& settings, const StepSettings& step, std::span<const float> gradient,
                 std::span<float> first_moment, std::span<float> infinity_norm, std::span<float> parameters) {
  const double correction = 1.0 - std::pow(settings.beta1, static_cast<double>(step.step));
  const AdaMaxFactors factors{.beta1 = static_cast<float>(settings.beta1),
                              .one_minus_beta1 = static_cast<float>(1.0 - settings.beta1),
                              .beta2 = static_cast<float>(settings.beta2),
                              .epsilon = static_cast<float>(settings.epsilon),
                              .step_size = static_cast<float>(step.learning_rate / correction)};
  update_adamax(factors, parameters.size(), gradient.data(), first_moment.data(), infinity_norm.data(),
                parameters.data());
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
      adamax_step(settings, step, gradient, first_moment, second_moment, parameters);
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

void add_l2_penalty(double penalty, std::span<const float> parameters, std::span<float> gradient) {
  add_scaled(static_cast<float>(penalty), parameters.size(), parameters.data(), gradient.data());
}

}  // namespace mnist_dist::optim
