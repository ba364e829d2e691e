#include "mnist_dist/nn/activation.hpp"

#include <array>

namespace mnist_dist::nn {

std::span<const Activation> all_activations() {
  static constexpr std::array kAll = {Activation::leaky_relu, Activation::relu,    Activation::gelu,
                                      Activation::tanh,       Activation::sigmoid, Activation::silu};
  return kAll;
}

std::string_view activation_name(Activation activation) {
  switch (activation) {
    case Activation::leaky_relu:
      return "leaky-relu";
    case Activation::relu:
      return "relu";
    case Activation::gelu:
      return "gelu";
    case Activation::tanh:
      return "tanh";
    case Activation::sigmoid:
      return "sigmoid";
    case Activation::silu:
      return "silu";
  }
  return {};
}

std::optional<Activation> activation_of_name(std::string_view name) {
  for (const Activation activation : all_activations()) {
    if (activation_name(activation) == name) return activation;
  }
  return std::nullopt;
}

}  // namespace mnist_dist::nn
