// The optimisers, behind one function. Local, element by element: it works on whatever block of the parameters it is
// given, so that each rank updates the range that it owns, block by block, to the same bits wherever a block begins.
#pragma once

#include <cstdint>
#include <span>

#include "mnist_dist/core/named_values.hpp"

namespace mnist_dist::optim {

/// With g the gradient of a parameter p, m, v and u its moments, t the step from 1 and alpha the learning rate:
enum class OptimizerKind {
  /// m = beta1 m + (1 - beta1) g;  u = max(beta2 u, |g| + epsilon);  p -= alpha / (1 - beta1^t) m / u.
  /// Kingma & Ba, "Adam: a method for stochastic optimization", 2015, Algorithm 2. It has no epsilon; without one an
  /// input that never varies gives 0 / 0. It stands where PyTorch has it.
  adamax,
  /// m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
  /// p -= alpha / (1 - beta1^t) m / (sqrt(v / (1 - beta2^t)) + epsilon). Kingma & Ba, Algorithm 1.
  /// With a weight decay it is AdamW: Loshchilov & Hutter, "Decoupled weight decay regularization", 2019, Algorithm 2,
  /// with the decay multiplied by the learning rate, as in PyTorch.
  adam,
  /// m = momentum m + g;  p -= alpha m. PyTorch's form, where the learning rate is outside m and so holds from the step
  /// in which it changes; Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013,
  /// equation 1 has it inside. With a momentum of 0 it is plain gradient descent.
  sgd,
};

inline constexpr NamedValues<OptimizerKind, 3> kOptimizers = {
    {{OptimizerKind::adamax, "adamax"}, {OptimizerKind::adam, "adam"}, {OptimizerKind::sgd, "sgd"}}};

/// What stays the same in all steps of a run.
struct OptimizerSettings {
  OptimizerKind kind = OptimizerKind::adamax;
  double beta1 = 0.9;     ///< adamax, adam: decay of the first moment; below 1
  double beta2 = 0.999;   ///< adamax: decay of the infinity norm; adam: of the second moment, below 1
  double epsilon = 1e-8;  ///< adamax, adam: keeps the divisor above 0
  double momentum = 0.9;  ///< sgd: decay of the sum of gradients
};

/// What a step, and within it a block, has for itself.
struct StepSettings {
  std::int64_t step = 1;         ///< the number of this step, from 1 (it corrects the moments' bias towards 0)
  double learning_rate = 0.001;  ///< of this step
  /// Decoupled from the gradient, for any optimiser: p -= learning_rate weight_decay p comes before the step. It is
  /// meant for weights; pass 0 for blocks of biases. 0 leaves the parameters' bits alone.
  double weight_decay = 0;
};

/// Local: whether the optimiser keeps a second value per parameter; sgd does not.
[[nodiscard]] bool has_second_moment(OptimizerKind kind);

/// Local: one step over a block. All spans are [block.size()]; the moments are 0 before step 1 and are the optimiser's
/// alone. A gradient that is no number makes the parameter one. In adam a finite gradient beyond 10^19 overflows v and
/// holds its parameter where it is; clip gradients where that can be (gradient_clipping.hpp).
/// @param first_moment m: the mean of gradients, or sgd's sum of them (its velocity)
/// @param second_moment adamax: the infinity norm u; adam: v; sgd: not read, may be empty
void optimizer_step(const OptimizerSettings& settings, const StepSettings& step, std::span<const float> gradient,
                    std::span<float> first_moment, std::span<float> second_moment, std::span<float> parameters);

/// gradient += penalty parameters: the gradient of penalty / 2 times the sum of the squared parameters.
void add_l2_penalty(double penalty, std::span<const float> parameters, std::span<float> gradient);

}  // namespace mnist_dist::optim
