// The activation functions that hidden layers can have, and their names. Local.
#pragma once

#include "mnist_dist/core/named_values.hpp"

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

inline constexpr NamedValues<Activation, 6> kActivations = {{{Activation::leaky_relu, "leaky-relu"},
                                                             {Activation::relu, "relu"},
                                                             {Activation::gelu, "gelu"},
                                                             {Activation::tanh, "tanh"},
                                                             {Activation::sigmoid, "sigmoid"},
                                                             {Activation::silu, "silu"}}};

}  // namespace mnist_dist::nn
