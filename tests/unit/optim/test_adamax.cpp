#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "float_comparison.hpp"
#include "mnist_dist/optim/optimizer.hpp"

using namespace mnist_dist;

TEST_CASE("AdaMax agrees with PyTorch in double precision over 25 steps") {
  const nlohmann::json json = nlohmann::json::parse(std::ifstream(TEST_DATA "/adamax.json"));
  auto parameters = json.at("initial").get<std::vector<float>>();
  std::vector<float> first_moment(parameters.size());
  std::vector<float> infinity_norm(parameters.size());
  const std::size_t steps = json.at("gradients").size();
  REQUIRE(steps == 25);
  for (std::size_t step = 0; step < steps; ++step) {
    const auto gradient = json.at("gradients")[step].get<std::vector<float>>();
    optim::optimizer_step({}, {.step = static_cast<std::int64_t>(step) + 1}, gradient, first_moment, infinity_norm,
                          parameters);
    const auto expected = json.at("parameters")[step].get<std::vector<double>>();
    CHECK(largest_difference(parameters, expected) < 2e-6);  // 25 float roundings of values up to 2
  }
}

TEST_CASE("a range is updated to the same bits wherever it begins") {
  constexpr std::size_t kSize = 1003;
  std::vector<float> gradient(kSize), moment(kSize), norm(kSize), parameters(kSize, 0.5F);
  for (std::size_t i = 0; i < kSize; ++i) gradient[i] = std::sin(static_cast<float>(i)) * 1e-2F;
  std::vector<float> whole = parameters;
  std::vector<float> whole_moment = moment;
  std::vector<float> whole_norm = norm;
  optim::optimizer_step({}, {}, gradient, whole_moment, whole_norm, whole);
  for (std::size_t begin = 0, end = 1; begin < kSize; begin = end, end = std::min(kSize, 2 * end + 3)) {
    const auto part = [&](std::vector<float>& values) { return std::span(values).subspan(begin, end - begin); };
    optim::optimizer_step({}, {}, part(gradient), part(moment), part(norm), part(parameters));
  }
  CHECK(std::memcmp(parameters.data(), whole.data(), kSize * sizeof(float)) == 0);
  CHECK(std::memcmp(norm.data(), whole_norm.data(), kSize * sizeof(float)) == 0);
}

TEST_CASE("a parameter that never has a gradient stays where it is, and NaN is not hidden") {
  std::vector<float> parameters = {1.0F, 1.0F};
  std::vector<float> moment(2), norm(2);
  const std::vector<float> gradient = {0.0F, std::nanf("")};
  optim::optimizer_step({}, {}, gradient, moment, norm, parameters);
  CHECK(parameters[0] == 1.0F);
  CHECK(std::isnan(parameters[1]));
}

TEST_CASE("the L2 penalty adds its share of the parameter to the gradient") {
  const std::vector<float> parameters = {2.0F, -4.0F};
  std::vector<float> gradient = {1.0F, 1.0F};
  optim::add_l2_penalty(0.25, parameters, gradient);
  CHECK(gradient == std::vector<float>{1.5F, 0.0F});
}
