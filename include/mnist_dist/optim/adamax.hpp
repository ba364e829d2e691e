// AdaMax (Kingma & Ba, "Adam: a method for stochastic optimization", 2015, Algorithm 2). Local: works on
// whatever part of the parameters it is given, so that each rank updates the range that it owns.
#pragma once

#include <cstdint>
#include <span>

namespace mnist_dist::optim {

struct AdaMaxSettings {
  double learning_rate = 0.001;  ///< alpha
  double beta1 = 0.9;            ///< decay of the first moment
  double beta2 = 0.999;          ///< decay of the infinity norm
  double epsilon = 1e-8;         ///< keeps the norm of a parameter without any gradient above 0
};

/// One step, element by element: m = beta1 m + (1 - beta1) g;  u = max(beta2 u, |g| + epsilon);
/// parameter -= alpha / (1 - beta1^step) m / u. Algorithm 2 has no epsilon; without it an input that never
/// varies gives 0 / 0. It stands where PyTorch has it. All spans have the same size.
/// @param step the number of this step, from 1 (it corrects the bias of m towards its start at 0)
void adamax_step(const AdaMaxSettings& settings, std::int64_t step, std::span<const float> gradient,
                 std::span<float> first_moment, std::span<float> infinity_norm, std::span<float> parameters);

/// gradient += penalty parameters: the gradient of penalty / 2 times the sum of the squared parameters.
void add_l2_penalty(double penalty, std::span<const float> parameters, std::span<float> gradient);

}  // namespace mnist_dist::optim
