#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "float_comparison.hpp"
#include "mnist_dist/nn/network.hpp"
#include "network_example.hpp"

using namespace mnist_dist;

TEST_CASE("logits, loss and gradients agree with PyTorch in double precision") {
  const Example example = reference_example();
  const nlohmann::json json = reference("mlp.json");
  CHECK(largest_difference(predicted_logits(example), flat(json.at("logits"))) < 1e-6);

  std::vector<float> gradient;
  CHECK(difference(mean_loss(example, kNoDropout, &gradient), json.at("loss")) < 2e-6);
  const std::vector<float> expected = interleaved(json.at("weight_gradients"), json.at("bias_gradients"));
  CHECK(largest_difference(as_gradient_of_reference(example, gradient), expected) < 2e-7);
}

TEST_CASE("gradients agree with finite differences, with and without dropout") {
  const Example example = reference_example();
  for (const double rate : {0.0, 0.4}) {
    CAPTURE(rate);
    const nn::Dropout dropout(rate, 7, 2);
    std::vector<float> gradient;
    mean_loss(example, dropout, &gradient);
    CHECK(largest_gradient_error(example, dropout, gradient) < 2e-4);
    CHECK(*std::max_element(gradient.begin(), gradient.end()) > 1e-2);
  }
}

TEST_CASE("microbatches scaled by the global batch add up to the gradient of the whole batch") {
  const Example example = reference_example();
  std::vector<float> expected;
  mean_loss(example, kNoDropout, &expected);
  // Uneven parts: a mean of means would be wrong here. One is empty.
  std::vector<std::vector<float>> gradients;
  loss_of(example, 0, {{5, 1, 0, 3}, {0, 1, 0, 2}}, kNoDropout, 1, &gradients);
  CHECK(largest_difference(nn::without_padding(example.architecture, gradients.front()), expected) < 1e-7);
}

TEST_CASE("a microbatch's gradient has the same bits whatever stands beside it, and they are added along the tree") {
  for (const bool large : {false, true}) {
    CAPTURE(large);
    check_microbatches(random_example(large));
  }
}

TEST_CASE("blocks are cut at groups of inputs, but not where OpenBLAS would get other products") {
  const Example example = random_example(true);
  for (const bool blas : {false, true}) {
    CAPTURE(blas);
    const nn::Network network(example.architecture, example.scaling,
                              blas ? nn::Products::openblas : nn::Products::kernels);
    const nn::Layer& first = network.layers().front();
    for (const ParameterRange& block : network.blocks()) {
      const bool cut = !blas && first.weights.contains(block);
      if (cut) CHECK(network.grain(block) == 4 * first.columns);
      if (blas) CHECK(network.grain(block) == block.size());
    }
    CHECK(network.grain(first.biases) == first.biases.size());
  }
}

TEST_CASE("subtracting means does what other biases do, and scaling what other weights do") {
  for (const bool large : {false, true}) {
    CAPTURE(large);
    const Example example = random_example(large);
    const std::size_t inputs = example.architecture.inputs;
    const std::size_t units = example.architecture.hidden.front();
    // scale (pixel - mean) W + b = pixel (scale W) + (b - mean scale W)
    Example plain = example;
    plain.scaling = {std::vector<float>(inputs, 0.0F), std::vector<float>(inputs, 1.0F)};
    for (std::size_t unit = 0; unit < units; ++unit) {
      double bias = plain.parameters[inputs * units + unit];
      for (std::size_t i = 0; i < inputs; ++i) {
        const double weight = double{example.scaling.scale[i]} * double{example.parameters[i * units + unit]};
        plain.parameters[i * units + unit] = static_cast<float>(weight);
        bias -= double{example.scaling.mean[i]} * weight;
      }
      plain.parameters[inputs * units + unit] = static_cast<float>(bias);
    }
    std::vector<float> of_plain;
    std::vector<float> gradient;
    const double loss = mean_loss(plain, kNoDropout, &of_plain);
    CHECK(relative_difference(mean_loss(example, kNoDropout, &gradient), loss) < 1e-5);
    std::vector<double> expected(of_plain.begin(), of_plain.end());
    for (std::size_t i = 0; i < inputs; ++i) {
      for (std::size_t unit = 0; unit < units; ++unit) {
        double& weight = expected[i * units + unit];
        weight = double{example.scaling.scale[i]} *
                 (weight - double{example.scaling.mean[i]} * double{of_plain[inputs * units + unit]});
      }
    }
    const double largest = largest_difference(expected, std::vector<double>(expected.size()));
    CHECK(largest_difference(gradient, expected) < 2e-5 * largest);
  }
}

TEST_CASE("an input whose deviation is 0 counts for nothing") {
  const nn::InputScaling scaling = nn::standardizing(std::vector<float>{10, 20}, std::vector<float>{4, 0});
  CHECK(scaling.mean == std::vector<float>{10, 20});
  CHECK(scaling.scale == std::vector<float>{0.25F, 0.0F});
}

TEST_CASE("the padding of parameters stays zero and is in no file") {
  const nn::Architecture architecture{3, {5}, 2, 0.1F};
  std::vector<float> values(nn::parameter_count(architecture));
  std::iota(values.begin(), values.end(), 1.0F);
  const std::vector<float> in_memory = nn::with_padding(architecture, values);
  CHECK(in_memory.size() == (3 + 1) * 16 + (5 + 1) * 16);
  CHECK(std::count(in_memory.begin(), in_memory.end(), 0.0F) == static_cast<long>(in_memory.size() - values.size()));
  CHECK(nn::without_padding(architecture, in_memory) == values);
}

TEST_CASE("initial weights have He's variance and biases are zero") {
  const nn::Network network({784, {100, 100, 100}, 10, 0.1F}, {});
  CHECK(nn::parameter_count(network.architecture()) == 99710);
  CHECK(network.architecture().description() == "784-100-100-100-10");
  std::vector<float> parameters(network.padded_size(), 9.0F);
  network.initialize(parameters, 1);
  for (const nn::Layer& layer : network.layers()) {
    double squares = 0;
    for (const float weight : layer.weights.of(std::span(parameters))) squares += double{weight} * double{weight};
    const double variance = squares / static_cast<double>(layer.inputs * layer.outputs);
    CHECK(difference(variance * static_cast<double>(layer.inputs) / 2, 1) < 0.1);
    for (const float bias : layer.biases.of(std::span(parameters))) CHECK(bias == 0.0F);
  }
  std::vector<float> other(parameters.size());
  network.initialize(other, 2);
  CHECK(other != parameters);
}

TEST_CASE("initial weights have Glorot's variance before tanh and sigmoid, He's before the others") {
  for (const auto& [activation, name] : nn::kActivations) {
    CAPTURE(name);
    const nn::Network network({100, {300}, 10, 0.1F, activation}, {});
    std::vector<float> parameters(network.padded_size());
    network.initialize(parameters, 1);
    double squares = 0;
    for (const float weight : network.layers()[0].weights.of(std::span(parameters))) {
      squares += double{weight} * double{weight};
    }
    const bool glorot = activation == nn::Activation::tanh || activation == nn::Activation::sigmoid;
    const double expected = glorot ? 2.0 / (100 + 300) : 2.0 / 100;
    CHECK(difference(squares / (100 * 300) / expected, 1) < 0.04);
  }
}
