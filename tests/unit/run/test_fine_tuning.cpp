// What a training that begins with a model begins with: the model's network, and its answers.
#include "mnist_dist/run/fine_tuning.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "float_comparison.hpp"
#include "message_of.hpp"
#include "mnist_dist/core/random.hpp"
#include "mnist_dist/nn/network.hpp"

using namespace mnist_dist;

namespace {

constexpr std::size_t kInputs = 12;
constexpr std::size_t kRows = 20;
constexpr std::size_t kConstant = 5;      // an input that is the same in all images of the new data
constexpr std::uint8_t kItsValue = 77;    // there
constexpr std::size_t kOnceConstant = 8;  // an input that was the same in all images of the model's data

std::vector<float> random_values(std::size_t size, std::uint64_t seed, float lowest, float highest) {
  RandomStream stream({.seed = seed, .purpose = Purpose::initial_weights, .epoch = 0, .id = 0});
  std::vector<float> values;
  for (std::size_t i = 0; i < size; ++i) values.push_back(stream.uniform(lowest, highest));
  return values;
}

run::Model model_of(std::uint64_t seed, std::vector<std::string> classes, std::vector<std::size_t> hidden = {7, 5}) {
  run::Model model;
  model.architecture = {.inputs = kInputs, .hidden = std::move(hidden), .outputs = classes.size()};
  model.parameters = random_values(nn::parameter_count(model.architecture), seed, -0.3F, 0.3F);
  model.image_shape = {3, 4, 1};
  model.mean = random_values(kInputs, seed + 100, 0, 200);
  model.standard_deviation = random_values(kInputs, seed + 200, 20, 120);
  model.classes = std::move(classes);
  return model;
}

run::Model trained() {
  run::Model model = model_of(1, {"a", "b", "c"});
  model.standard_deviation[kOnceConstant] = 0;
  return model;
}

run::Model fresh(std::vector<std::string> classes) {
  run::Model model = model_of(2, std::move(classes));
  model.mean[kConstant] = kItsValue;
  model.standard_deviation[kConstant] = 0;
  return model;
}

std::vector<float> answers(const run::Model& model) {
  const std::vector<float> grey = random_values(kRows * kInputs, 9, 0, 255);
  std::vector<std::uint8_t> pixels(grey.begin(), grey.end());
  std::vector<const std::uint8_t*> rows;
  for (std::size_t row = 0; row < kRows; ++row) {
    pixels[row * kInputs + kConstant] = kItsValue;
    rows.push_back(pixels.data() + row * kInputs);
  }
  const nn::Network network(model.architecture, nn::standardizing(model.mean, model.standard_deviation));
  nn::Workspace workspace(model.architecture, kRows);
  network.load(rows, std::array{kRows}, workspace);
  const std::vector<float> parameters = nn::with_padding(model.architecture, model.parameters);
  const MatrixView<const float> logits = network.predict(parameters, workspace);
  std::vector<float> values;
  for (std::size_t row = 0; row < kRows; ++row) {
    for (std::size_t i = 0; i < logits.columns; ++i) values.push_back(logits.row(row)[i]);
  }
  return values;
}

}  // namespace

TEST_CASE("the first answers are the model's, whatever the new data's mean and deviation") {
  const run::Model model = trained();
  for (const std::vector<std::size_t>& hidden : {std::vector<std::size_t>{7, 5}, {}}) {
    run::Model before = model_of(1, model.classes, hidden);
    before.standard_deviation = model.standard_deviation;
    run::Model now = fresh(model.classes);
    now.architecture = before.architecture;
    now.parameters = random_values(before.parameters.size(), 3, -1, 1);
    CHECK(exceeds(largest_difference(answers(now), answers(before)), 0.1));
    now.parameters = run::fine_tuning_start(before, now);
    CHECK(largest_difference(answers(now), answers(before)) < 1e-5);
  }
}

TEST_CASE("with the model's own mean and deviation its parameters stay as they are") {
  const run::Model model = model_of(1, {"a", "b", "c"});
  run::Model now = model_of(2, model.classes);
  now.mean = model.mean;
  now.standard_deviation = model.standard_deviation;
  CHECK(run::fine_tuning_start(model, now) == model.parameters);
}

TEST_CASE("the last layer is kept for the same classes in the same order alone") {
  const run::Model model = trained();
  const std::size_t last = (5 + 1) * 3;
  const std::vector<float> same = run::fine_tuning_start(model, fresh({"a", "b", "c"}));
  CHECK(std::vector(same.end() - last, same.end()) ==
        std::vector(model.parameters.end() - last, model.parameters.end()));
  for (const std::vector<std::string>& classes :
       {std::vector<std::string>{"a", "b", "d"}, {"b", "a", "c"}, {"a", "b"}, {"a", "b", "c", "d"}}) {
    const run::Model now = fresh(classes);
    const std::vector<float> start = run::fine_tuning_start(model, now);
    REQUIRE(start.size() == now.parameters.size());
    const auto hidden = static_cast<std::ptrdiff_t>(same.size() - last);
    CHECK(std::vector(start.begin(), start.begin() + hidden) == std::vector(same.begin(), same.begin() + hidden));
    CHECK(std::vector(start.begin() + hidden, start.end()) ==
          std::vector(now.parameters.begin() + hidden, now.parameters.end()));
  }
}

TEST_CASE("the network is the model's, unless somebody chose another one") {
  run::Model model = trained();
  train::Settings settings;
  run::take_network(model, "m.h5", {"seed"}, settings);
  CHECK(settings.hidden == std::vector<std::uint64_t>{7, 5});
  CHECK(settings.leaky_relu_slope == 0.1);
  CHECK_NOTHROW(run::take_network(model, "m.h5", {"hidden", "activation", "leaky-relu-slope"}, settings));

  train::Settings other;
  CHECK(message_of(ExitCode::usage, [&] { run::take_network(model, "m.h5", {"hidden"}, other); }) ==
        "--init-from keeps the network of m.h5, which has hidden [7, 5]: leave other values away");
  CHECK(other == train::Settings());
  model.architecture.activation = nn::Activation::gelu;
  CHECK(message_of(ExitCode::usage, [&] {
          run::take_network(model, "m.h5", {"activation"}, settings);
        }).find("has activation \"gelu\"") != std::string::npos);
  model.architecture.activation = nn::Activation::leaky_relu;
  model.architecture.leaky_relu_slope = 0.25F;
  CHECK(message_of(ExitCode::usage, [&] {
          run::take_network(model, "m.h5", {"leaky-relu-slope"}, settings);
        }).find("has leaky-relu-slope 0.25") != std::string::npos);
  run::take_network(model, "m.h5", {}, settings);
  CHECK(settings.leaky_relu_slope == 0.25);
}
