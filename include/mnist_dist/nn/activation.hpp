// The activation functions that hidden layers can have, and their names. Local.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace mnist_dist::nn {

/// What a hidden layer makes of its pre-activation x.
enum class Activation {
  leaky_relu,  ///< x for x > 0, slope x otherwise (Maas, Hannun & Ng 2013)
  relu,        ///< max(x, 0) (Nair & Hinton 2010)
  gelu,        ///< x Phi(x) with the normal distribution Phi, not its approximation by tanh (Hendrycks & Gimpel 2016)
  tanh,        ///< (e^x - e^-x) / (e^x + e^-x)
  sigmoid,     ///< 1 / (1 + e^-x)
  silu,        ///< x sigmoid(x) (Elfwing, Uchibe & Doya 2018)
};

/// All of them, the default first.
[[nodiscard]] std::span<const Activation> all_activations();

/// "leaky-relu", "relu", "gelu", "tanh", "sigmoid" or "silu": as options and files have it.
[[nodiscard]] std::string_view activation_name(Activation activation);

/// The activation of that name; nothing when there is none.
[[nodiscard]] std::optional<Activation> activation_of_name(std::string_view name);

}  // namespace mnist_dist::nn
