// The hidden layers' activation functions, alone and in a network.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "../../../src/nn/kernels/activation_functions.hpp"
#include "float_comparison.hpp"
#include "mnist_dist/core/random.hpp"
#include "network_example.hpp"

using namespace mnist_dist;

namespace {

const nlohmann::json& expectations() {
  static const nlohmann::json json = reference("activations.json");
  return json;
}

nn::Architecture with(nn::Activation activation) {
  return {1, {1}, 1, 0.1F, activation};
}

/// f(x + bias) as the passes compute it, and output scale where a mask is given.
std::vector<float> predicted(nn::Activation activation, std::vector<float> x, std::size_t units, float bias = 0.0F) {
  std::vector<float> biases(x.size());
  std::fill_n(biases.begin(), units, bias);
  nn::add_biases_and_activate(with(activation), units, {x.data(), 1, x.size()}, biases.data());
  return x;
}
std::vector<float> trained(nn::Activation activation, std::vector<float> x, std::vector<float>& scale) {
  const std::vector<float> biases(x.size());
  nn::add_biases_activate_and_drop(with(activation), {x.data(), 1, x.size()}, scale.data(), biases.data());
  return x;
}

Example example_with(nn::Activation activation) {
  Example example = reference_example();
  example.architecture.activation = activation;
  return example;
}

}  // namespace

TEST_CASE("names of activations round-trip, and there are no others") {
  std::string all;
  for (const auto& [activation, name] : nn::kActivations) {
    all += std::string(name) + " ";
    CHECK(name_of(nn::kActivations, activation) == name);
    CHECK(value_of(nn::kActivations, name) == activation);
  }
  CHECK(all == "leaky-relu relu gelu tanh sigmoid silu ");
  for (const char* name : {"", "ReLU", "leaky_relu", "relu "}) CHECK(!value_of(nn::kActivations, name).has_value());
}

TEST_CASE("values and derivatives agree with PyTorch in double precision") {
  const std::vector<float> x = flat(expectations().at("x"));
  for (const auto& [activation, name] : nn::kActivations) {
    CAPTURE(name);
    const nlohmann::json& expected = expectations().at("points").at(name);
    std::vector<float> derivatives(x.size(), 1.0F);
    const std::vector<float> values = trained(activation, x, derivatives);
    for (std::size_t i = 0; i < x.size(); ++i) {
      CAPTURE(x[i]);
      const double value = expected.at("values")[i];
      const double derivative = expected.at("derivatives")[i];
      CHECK(difference(values[i], value) <= 2e-7 * larger_error(difference(value, 0), 0.5));
      CHECK(difference(derivatives[i], derivative) <= 3e-7);
    }
    CHECK(predicted(activation, x, x.size()) == values);
  }
}

TEST_CASE("a value has the same bits in every place of a row, and a bias counts like an input") {
  RandomStream stream({.seed = 9, .purpose = Purpose::shuffle, .epoch = 0, .id = 0});
  std::vector<float> x(61);  // no multiple of any vector, so that the last ones are computed one by one
  for (float& value : x) value = stream.uniform(-9, 9);
  for (const auto& [activation, name] : nn::kActivations) {
    CAPTURE(name);
    std::vector<float> scales(x.size(), 1.25F);
    const std::vector<float> together = predicted(activation, x, x.size());
    const std::vector<float> dropped = trained(activation, x, scales);
    for (std::size_t i = 0; i < x.size(); ++i) {
      std::vector<float> scale = {1.25F};
      CHECK(predicted(activation, {x[i]}, 1)[0] == together[i]);
      CHECK(predicted(activation, {0.0F}, 1, x[i])[0] == together[i]);
      CHECK(trained(activation, {x[i]}, scale)[0] == dropped[i]);
      CHECK(scale[0] == scales[i]);
    }
  }
}

TEST_CASE("the output scale includes the mask, and padding stays zero") {
  for (const auto& [activation, name] : nn::kActivations) {
    CAPTURE(name);
    std::vector<float> x(32);
    std::fill_n(x.begin(), 20, 0.7F);
    std::vector<float> derivatives(32, 1.0F);
    const std::vector<float> values = trained(activation, x, derivatives);
    std::vector<float> scales(32);
    for (std::size_t i = 0; i < 20; ++i) scales[i] = i % 2 == 0 ? 2.0F : 0.0F;
    const std::vector<float> dropped = trained(activation, x, scales);
    const std::vector<float> kept = predicted(activation, x, 20);
    for (std::size_t i = 0; i < 32; ++i) {
      const float mask = i < 20 && i % 2 == 0 ? 2.0F : 0.0F;
      CHECK(dropped[i] == mask * values[i]);
      CHECK(scales[i] == mask * derivatives[i]);
      CHECK(kept[i] == (i < 20 ? values[i] : 0.0F));
    }
    CHECK(values[0] > 0.3F);
  }
}

TEST_CASE("what is not a number stays so, and huge numbers do no harm") {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  for (const auto& [activation, name] : nn::kActivations) {
    CAPTURE(name);
    std::vector<float> scales(3, 1.0F);
    const std::vector<float> values = trained(activation, {kNan, 1e18F, -1e18F}, scales);
    CHECK(std::isnan(values[0]));
    const bool bounded = activation == nn::Activation::tanh || activation == nn::Activation::sigmoid;
    CHECK(values[1] == (bounded ? 1.0F : 1e18F));
    CHECK(scales[1] == (bounded ? 0.0F : 1.0F));
    if (activation != nn::Activation::leaky_relu) {
      CHECK(values[2] == (activation == nn::Activation::tanh ? -1.0F : 0.0F));
      CHECK(scales[2] == 0.0F);
    }
  }
}

TEST_CASE("a network's logits, loss and gradients agree with PyTorch for every activation") {
  for (const auto& [activation, name] : nn::kActivations) {
    CAPTURE(name);
    const Example example = example_with(activation);
    const nlohmann::json& expected = expectations().at("networks").at(name);
    CHECK(largest_difference(predicted_logits(example), flat(expected.at("logits"))) < 1e-6);
    std::vector<float> gradient;
    CHECK(difference(mean_loss(example, kNoDropout, &gradient), expected.at("loss")) < 2e-6);
    const std::vector<float> gradients = interleaved(expected.at("weight_gradients"), expected.at("bias_gradients"));
    CHECK(largest_difference(as_gradient_of_reference(example, gradient), gradients) < 3e-7);
  }
}

TEST_CASE("gradients agree with finite differences for every activation, with and without dropout") {
  for (const auto& [activation, name] : nn::kActivations) {
    CAPTURE(name);
    const Example example = example_with(activation);
    for (const double rate : {0.0, 0.4}) {
      CAPTURE(rate);
      const nn::Dropout dropout(rate, 7, 2);
      std::vector<float> gradient;
      mean_loss(example, dropout, &gradient);
      CHECK(largest_gradient_error(example, dropout, gradient) < 2e-4);
      CHECK(*std::max_element(gradient.begin(), gradient.end()) > 1e-2);
    }
  }
}

TEST_CASE("the padding of outputs and deltas stays zero for every activation") {
  for (const auto& [activation, name] : nn::kActivations) {
    CAPTURE(name);
    const Example example = example_with(activation);
    const std::size_t rows = example.labels.size();
    const nn::Network network(example.architecture, example.scaling);
    const std::vector<float> parameters = nn::with_padding(example.architecture, example.parameters);
    nn::Workspace workspace(example.architecture, rows);
    const auto check_padding = [&](bool deltas) {
      for (std::size_t layer = 0; layer < example.architecture.hidden.size(); ++layer) {
        const nn::Activations::LayerViews& views = workspace.activations().layers[layer];
        for (std::size_t row = 0; row < rows; ++row) {
          const std::span<const float> values = (deltas ? views.deltas : views.outputs).row(row);
          const std::size_t units = example.architecture.hidden[layer];
          REQUIRE(values.size() > units);
          for (const float value : values.subspan(units)) CHECK(value == 0.0F);
        }
      }
    };
    load_rows(example, network, 0, std::vector{rows}, workspace);
    network.predict(parameters, workspace);
    check_padding(false);
    network.forward(parameters, example.row_ids, nn::Dropout(0.4, 7, 2), workspace);
    check_padding(false);
    network.backward(parameters, workspace);
    check_padding(true);
  }
}

TEST_CASE("a microbatch's gradient has the same bits whatever stands beside it, with other activations") {
  for (const nn::Activation activation : {nn::Activation::gelu, nn::Activation::sigmoid}) {
    for (const bool large : {false, true}) {
      CAPTURE(name_of(nn::kActivations, activation));
      CAPTURE(large);
      Example example = random_example(large);
      example.architecture.activation = activation;
      check_microbatches(example);
    }
  }
}
