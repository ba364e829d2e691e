#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "float_comparison.hpp"
#include "mnist_dist/train/parameter_update.hpp"

using namespace mnist_dist;
using train::ParameterUpdate;
using train::Settings;

namespace {

const nn::Network kNetwork({3, {4}, 2, 0.1F}, {});

/// Plain gradient descent, so that a step is short enough to be seen to be right.
Settings plain_descent() {
  Settings settings;
  settings.optimizer = "sgd";
  settings.momentum = 0;
  settings.learning_rate = 0.5;
  settings.output_l2 = 0;
  return settings;
}

/// What becomes of parameters of 1 with gradients of 1, block by block. [padded_size()]
std::vector<float> step(ParameterUpdate& update, std::int64_t number, double factor = 1) {
  std::vector<float> parameters(kNetwork.padded_size(), 1.0F);
  update.begin_step(number, factor);
  for (const ParameterRange& block : kNetwork.blocks()) {
    std::vector<float> gradient(block.size(), 1.0F);
    update.apply(block, gradient, block.of(std::span(parameters)));
  }
  return parameters;
}

float at_weight(const std::vector<float>& parameters, std::size_t layer) {
  return parameters[kNetwork.layers()[layer].weights.begin];
}

float at_bias(const std::vector<float>& parameters, std::size_t layer) {
  return parameters[kNetwork.layers()[layer].biases.begin];
}

}  // namespace

TEST_CASE("penalty and decay touch what they should") {
  Settings settings = plain_descent();
  settings.weight_decay = 0.25;
  settings.output_l2 = 0.125;
  ParameterUpdate update(settings, kNetwork, {0, kNetwork.padded_size()}, 10);
  const std::vector<float> after = step(update, 1);
  // Decay: 1 - 0.5 0.25; then the gradient 1, with 0.125 times the parameter as it was before in the output layer.
  CHECK(at_weight(after, 0) == 1 - 0.125F - 0.5F);
  CHECK(at_weight(after, 1) == 1 - 0.125F - 0.5F * 1.125F);
  CHECK(at_bias(after, 0) == 0.5F);
  CHECK(at_bias(after, 1) == 0.5F);
}

TEST_CASE("only what an optimizer uses is kept for each parameter") {
  Settings settings = plain_descent();
  const ParameterRange all{0, kNetwork.padded_size()};
  const ParameterUpdate descent(settings, kNetwork, all, 10);
  CHECK(descent.state().first_moment.size() == all.size());
  CHECK(descent.state().second_moment.empty());
  CHECK(descent.state().average.empty());
  for (const char* optimizer : {"adam", "adamax"}) {
    settings.optimizer = optimizer;
    CHECK(ParameterUpdate(settings, kNetwork, all, 10).state().second_moment.size() == all.size());
  }
}

TEST_CASE("the schedule counts epochs in steps, and gradients can be scaled") {
  Settings settings = plain_descent();
  settings.schedule = "step";
  settings.decay = 0.5;
  settings.decay_every = 2;
  ParameterUpdate update(settings, kNetwork, {0, kNetwork.padded_size()}, 10);
  CHECK(at_bias(step(update, 20), 0) == 0.5F);
  CHECK(at_bias(step(update, 21), 0) == 0.75F);
  CHECK(at_bias(step(update, 21, 0.5), 0) == 0.875F);

  settings.schedule = "cosine";
  settings.epochs = 4;
  ParameterUpdate cosine(settings, kNetwork, {0, kNetwork.padded_size()}, 10);
  CHECK(at_bias(step(cosine, 1), 0) == 0.5F);
  CHECK(difference(at_bias(step(cosine, 21), 0), 0.75) < 1e-6);  // half of the 40 steps are behind it
  CHECK(at_bias(step(cosine, 41), 0) == 1.0F);
}

TEST_CASE("the average follows the parameters, slower") {
  Settings settings = plain_descent();
  CHECK_FALSE(ParameterUpdate(settings, kNetwork, {0, 16}, 10).keeps_average());
  settings.average = 0.75;
  ParameterUpdate update(settings, kNetwork, {0, kNetwork.padded_size()}, 10);
  REQUIRE(update.keeps_average());
  update.begin_average(std::vector<float>(kNetwork.padded_size(), 2.0F));
  const std::vector<float> after = step(update, 1000);
  CHECK(difference(update.state().average[0], 0.75 * 2 + 0.25 * after[0]) < 1e-6);
  // In the first steps it follows faster.
  update.begin_average(std::vector<float>(kNetwork.padded_size(), 2.0F));
  step(update, 1);
  CHECK(difference(update.state().average[0], (2.0 * 2 + 9.0 * after[0]) / 11) < 1e-6);
}
