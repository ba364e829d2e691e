#include "activation_functions.hpp"

#include <algorithm>

#include "elementary_functions.hpp"
#include "mnist_dist/core/hot_loop.hpp"

namespace mnist_dist::nn {
namespace {

MNIST_DIST_HOT_LOOP void leaky_relu(const MatrixView<float>& values, const float* biases, float slope) {
  for (std::size_t row = 0; row < values.rows; ++row) {
    float* output = values.data + row * values.stride;
    for (std::size_t i = 0; i < values.columns; ++i) {
      const float x = output[i] + biases[i];
      output[i] = x > 0.0F ? x : slope * x;
    }
  }
}

MNIST_DIST_HOT_LOOP void leaky_relu_and_drop(const MatrixView<float>& values, float* output_scale, const float* biases,
                                             float slope) {
  for (std::size_t row = 0; row < values.rows; ++row) {
    float* output = values.data + row * values.stride;
    float* scale = output_scale + row * values.columns;
    for (std::size_t i = 0; i < values.columns; ++i) {
      const float x = output[i] + biases[i];
      scale[i] = x > 0.0F ? scale[i] : slope * scale[i];
      output[i] = x * scale[i];
    }
  }
}

struct ValueAndDerivative {
  float value;
  float derivative;
};

MNIST_DIST_INLINE ValueAndDerivative relu(float x) {
  return {select(x <= 0.0F, 0.0F, x), select(x > 0.0F, 1.0F, 0.0F)};
}

MNIST_DIST_INLINE ValueAndDerivative gelu(float x) {
  const NormalDistribution normal = normal_distribution(x);
  return {x * normal.cumulative, normal.cumulative + x * normal.density};
}

MNIST_DIST_INLINE ValueAndDerivative tanh(float x) {
  const float value = hyperbolic_tangent(x);
  return {value, 1.0F - value * value};
}

/// With e = exp(-|x|), sigmoid(|x|) = 1 / (1 + e) and sigmoid(-|x|) = e / (1 + e); the derivative is their product.
MNIST_DIST_INLINE ValueAndDerivative sigmoid(float x) {
  const float e = exponential(-std::fabs(x));
  const float above = 1.0F / (1.0F + e);
  const float below = e * above;
  return {select(x < 0.0F, below, above), above * below};
}

MNIST_DIST_INLINE ValueAndDerivative silu(float x) {
  const ValueAndDerivative s = sigmoid(x);
  return {x * s.value, s.value + x * s.derivative};
}

/// For prediction.
template <ValueAndDerivative (*function)(float)>
MNIST_DIST_INLINE void activate(const MatrixView<float>& values, const float* biases) {
  for (std::size_t row = 0; row < values.rows; ++row) {
    float* output = values.data + row * values.stride;
    for (std::size_t i = 0; i < values.columns; ++i) output[i] = function(output[i] + biases[i]).value;
  }
}

/// For training.
template <ValueAndDerivative (*function)(float)>
MNIST_DIST_INLINE void activate_and_drop(const MatrixView<float>& values, float* output_scale, const float* biases) {
  for (std::size_t row = 0; row < values.rows; ++row) {
    float* output = values.data + row * values.stride;
    float* scale = output_scale + row * values.columns;
    for (std::size_t i = 0; i < values.columns; ++i) {
      const ValueAndDerivative result = function(output[i] + biases[i]);
      output[i] = result.value * scale[i];
      scale[i] *= result.derivative;
    }
  }
}

// Each combination as a function of its own, which is compiled for every kind of vector.
#define MNIST_DIST_ACTIVATION(name)                                                                                  \
  MNIST_DIST_HOT_LOOP void predict_##name(const MatrixView<float>& values, const float* biases) {                    \
    activate<name>(values, biases);                                                                                  \
  }                                                                                                                  \
  MNIST_DIST_HOT_LOOP void train_##name(const MatrixView<float>& values, float* output_scale, const float* biases) { \
    activate_and_drop<name>(values, output_scale, biases);                                                           \
  }
MNIST_DIST_ACTIVATION(relu)
MNIST_DIST_ACTIVATION(gelu)
MNIST_DIST_ACTIVATION(tanh)
MNIST_DIST_ACTIVATION(sigmoid)
MNIST_DIST_ACTIVATION(silu)
#undef MNIST_DIST_ACTIVATION

/// Padding is zero before f, not after it.
void clear_padding(std::size_t units, const MatrixView<float>& values) {
  for (std::size_t row = 0; row < values.rows; ++row) std::ranges::fill(values.row(row).subspan(units), 0.0F);
}

}  // namespace

void add_biases_and_activate(const Architecture& architecture, std::size_t units, const MatrixView<float>& values,
                             const float* biases) {
  switch (architecture.activation) {
    case Activation::leaky_relu:
      return leaky_relu(values, biases, architecture.leaky_relu_slope);
    case Activation::relu:
      return predict_relu(values, biases);
    case Activation::gelu:
      return predict_gelu(values, biases);
    case Activation::tanh:
      return predict_tanh(values, biases);
    case Activation::sigmoid:
      predict_sigmoid(values, biases);
      return clear_padding(units, values);  // sigmoid(0) is 1/2
    case Activation::silu:
      return predict_silu(values, biases);
  }
}

void add_biases_activate_and_drop(const Architecture& architecture, const MatrixView<float>& values,
                                  float* output_scale, const float* biases) {
  switch (architecture.activation) {
    case Activation::leaky_relu:
      return leaky_relu_and_drop(values, output_scale, biases, architecture.leaky_relu_slope);
    case Activation::relu:
      return train_relu(values, output_scale, biases);
    case Activation::gelu:
      return train_gelu(values, output_scale, biases);
    case Activation::tanh:
      return train_tanh(values, output_scale, biases);
    case Activation::sigmoid:
      return train_sigmoid(values, output_scale, biases);
    case Activation::silu:
      return train_silu(values, output_scale, biases);
  }
}

}  // namespace mnist_dist::nn
