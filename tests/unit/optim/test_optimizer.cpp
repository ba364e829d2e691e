#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "float_comparison.hpp"
#include "mnist_dist/optim/optimizer.hpp"

using namespace mnist_dist;
using optim::OptimizerKind;
using optim::OptimizerSettings;
using optim::StepSettings;

namespace {

constexpr OptimizerKind kKinds[] = {OptimizerKind::adamax, OptimizerKind::adam, OptimizerKind::sgd};

struct State {
  explicit State(std::vector<float> initial)
      : parameters(std::move(initial)), first_moment(parameters.size()), second_moment(parameters.size()) {}

  /// One step over [begin, end).
  void step(const OptimizerSettings& settings, const StepSettings& step, const std::vector<float>& gradient,
            std::size_t begin, std::size_t end) {
    const auto part = [&](std::vector<float>& values) { return std::span(values).subspan(begin, end - begin); };
    const bool second = optim::has_second_moment(settings.kind);
    optim::optimizer_step(settings, step, std::span(gradient).subspan(begin, end - begin), part(first_moment),
                          second ? part(second_moment) : std::span<float>{}, part(parameters));
  }

  void step(const OptimizerSettings& settings, const StepSettings& step_settings, const std::vector<float>& gradient) {
    step(settings, step_settings, gradient, 0, parameters.size());
  }

  bool operator==(const State& other) const {
    const auto same = [](const std::vector<float>& a, const std::vector<float>& b) {
      return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
    };
    return same(parameters, other.parameters) && same(first_moment, other.first_moment) &&
           same(second_moment, other.second_moment);
  }

  std::vector<float> parameters;
  std::vector<float> first_moment;
  std::vector<float> second_moment;
};

std::vector<float> waves(std::size_t size, float frequency, float scale) {
  std::vector<float> values(size);
  for (std::size_t i = 0; i < size; ++i) values[i] = std::sin(frequency * static_cast<float>(i + 1)) * scale;
  return values;
}

const nlohmann::json& reference() {
  static const nlohmann::json json = nlohmann::json::parse(std::ifstream(TEST_DATA "/optimizers.json"));
  return json;
}

/// The largest distance from PyTorch's parameters in any step. @param l2 a penalty in the gradient
double distance(const std::string& name, const OptimizerSettings& settings, StepSettings step, double l2 = 0) {
  const auto gradients = reference().at("gradients").get<std::vector<std::vector<float>>>();
  const auto expected = reference().at(name).get<std::vector<std::vector<double>>>();
  REQUIRE(gradients.size() == 25);
  REQUIRE(expected.size() == 25);
  State state(reference().at("initial").get<std::vector<float>>());
  double largest = 0;
  for (std::size_t t = 0; t < gradients.size(); ++t) {
    step.step = static_cast<std::int64_t>(t) + 1;
    std::vector<float> gradient = gradients[t];
    optim::add_l2_penalty(l2, state.parameters, gradient);
    state.step(settings, step, gradient);
    largest = larger_error(largest, largest_difference(state.parameters, expected[t]));
  }
  return largest;
}

// Some float roundings of values up to 2: less than half of this was seen.
constexpr double kTolerance = 1e-6;

}  // namespace

TEST_CASE("Adam agrees with PyTorch in double precision over 25 steps") {
  CHECK(distance("adam", {.kind = OptimizerKind::adam}, {.learning_rate = 0.001}) < kTolerance);
}

TEST_CASE("Adam with a weight decay is PyTorch's AdamW, and not Adam with an L2 penalty") {
  const OptimizerSettings adam{.kind = OptimizerKind::adam};
  CHECK(distance("adamw", adam, {.learning_rate = 0.01, .weight_decay = 0.05}) < kTolerance);
  CHECK(distance("adam_l2", adam, {.learning_rate = 0.01}, 0.05) < kTolerance);
  CHECK(exceeds(distance("adam_l2", adam, {.learning_rate = 0.01, .weight_decay = 0.05}), 1e-2));
  CHECK(exceeds(distance("adamw", adam, {.learning_rate = 0.01}), 1e-2));
}

TEST_CASE("SGD with momentum agrees with PyTorch in double precision over 25 steps") {
  CHECK(distance("sgd", {.kind = OptimizerKind::sgd}, {.learning_rate = 0.01}) < kTolerance);
  CHECK(exceeds(distance("sgd", {.kind = OptimizerKind::sgd, .momentum = 0}, {.learning_rate = 0.01}), 0.1));
}

TEST_CASE("weight decay shrinks the parameters before the step of any optimiser") {
  const std::vector<float> gradient = waves(37, 1.1F, 0.1F);
  for (const OptimizerKind kind : kKinds) {
    CAPTURE(static_cast<int>(kind));
    State decayed(waves(37, 0.7F, 1.0F));
    State shrunk = decayed;
    decayed.step({.kind = kind}, {.learning_rate = 0.5, .weight_decay = 0.25}, gradient);
    for (float& parameter : shrunk.parameters) parameter -= 0.125F * parameter;
    shrunk.step({.kind = kind}, {.learning_rate = 0.5}, gradient);
    CHECK(decayed == shrunk);
  }
}

TEST_CASE("a block is updated to the same bits wherever it begins and however short it is") {
  constexpr std::size_t kSize = 1003;
  const StepSettings step{.step = 2, .learning_rate = 0.01, .weight_decay = 0.05};
  const std::vector<float> gradient = waves(kSize, 1.1F, 0.01F);
  for (const OptimizerKind kind : kKinds) {
    CAPTURE(static_cast<int>(kind));
    State initial(waves(kSize, 0.7F, 1.0F));
    initial.first_moment = waves(kSize, 0.3F, 0.1F);
    if (optim::has_second_moment(kind)) {
      for (std::size_t i = 0; i < kSize; ++i) initial.second_moment[i] = std::fabs(initial.first_moment[i]);
    }
    State whole = initial;
    whole.step({.kind = kind}, step, gradient);
    State blocks = initial;
    for (std::size_t begin = 0, end = 1; begin < kSize; begin = end, end = std::min(kSize, 2 * end + 3)) {
      blocks.step({.kind = kind}, step, gradient, begin, end);
    }
    CHECK(blocks == whole);
    State single = initial;
    for (std::size_t i = 0; i < kSize; ++i) single.step({.kind = kind}, step, gradient, i, i + 1);
    CHECK(single == whole);
    for (std::size_t i = 0; i < kSize; ++i) CHECK(whole.parameters[i] != initial.parameters[i]);
  }
}

TEST_CASE("a parameter without a gradient stays where it is, and no number and infinity are not hidden") {
  const std::vector<float> gradient = {0.0F, std::nanf(""), std::numeric_limits<float>::infinity()};
  for (const OptimizerKind kind : kKinds) {
    CAPTURE(static_cast<int>(kind));
    State state({1.0F, 1.0F, 1.0F});
    state.step({.kind = kind}, {}, gradient);
    CHECK(state.parameters[0] == 1.0F);
    CHECK(std::isnan(state.parameters[1]));
    CHECK_FALSE(std::isfinite(state.parameters[2]));
    state.step({.kind = kind}, {.step = 2}, {0.0F, 0.0F, 0.0F});
    CHECK(std::isnan(state.parameters[1]));
  }
}
