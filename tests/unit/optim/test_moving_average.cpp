#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "float_comparison.hpp"
#include "mnist_dist/optim/moving_average.hpp"

using namespace mnist_dist;

TEST_CASE("the moving average begins with a small decay and ends with its own") {
  CHECK(optim::moving_average_decay(0.999, 1) == 2.0 / 11.0);
  CHECK(optim::moving_average_decay(0.999, 90) == 0.91);
  CHECK(difference(optim::moving_average_decay(0.999, 8990), 8991.0 / 9000.0) < 1e-15);
  CHECK(optim::moving_average_decay(0.999, 8992) == 0.999);
  CHECK(optim::moving_average_decay(0.1, 1) == 0.1);
}

TEST_CASE("the moving average is the sum of all parameters so far with geometric weights") {
  // Two parameters on known paths, one of them constant; the sum is formed anew in double for the last step.
  constexpr int kSteps = 60;
  constexpr double kDecay = 0.8;
  const auto path = [](int step) { return 0.1 * step + std::sin(step); };
  std::vector<float> average = {static_cast<float>(path(0)), 3.0F};
  for (int step = 1; step <= kSteps; ++step) {
    const std::vector<float> parameters = {static_cast<float>(path(step)), -1.0F};
    optim::update_moving_average(optim::moving_average_decay(kDecay, step), parameters, average);
  }
  double expected = 0;
  double weight = 1;  // of all that is not newer than the step
  for (int step = kSteps; step >= 1; --step) {
    const double decay = std::min(kDecay, (1.0 + step) / (10.0 + step));
    expected += weight * (1 - decay) * path(step);
    weight *= decay;
  }
  expected += weight * path(0);
  CHECK(difference(average[0], expected) < 2e-6);
  CHECK(difference(average[1], -1 + weight * 4) < 2e-6);
  CHECK(exceeds(difference(average[0], path(kSteps)), 0.01));
}

TEST_CASE("a block's average has the same bits wherever the block begins, and no number is not hidden") {
  constexpr std::size_t kSize = 1003;
  std::vector<float> parameters(kSize), whole(kSize);
  for (std::size_t i = 0; i < kSize; ++i) {
    parameters[i] = std::sin(static_cast<float>(i));
    whole[i] = std::cos(static_cast<float>(i));
  }
  parameters[500] = std::nanf("");
  std::vector<float> blocks = whole;
  std::vector<float> single = whole;
  optim::update_moving_average(0.9, parameters, whole);
  for (std::size_t begin = 0, end = 1; begin < kSize; begin = end, end = std::min(kSize, 2 * end + 3)) {
    const std::size_t size = end - begin;
    optim::update_moving_average(0.9, std::span(parameters).subspan(begin, size),
                                 std::span(blocks).subspan(begin, size));
  }
  for (std::size_t i = 0; i < kSize; ++i) {
    optim::update_moving_average(0.9, std::span(parameters).subspan(i, 1), std::span(single).subspan(i, 1));
  }
  CHECK(std::memcmp(blocks.data(), whole.data(), kSize * sizeof(float)) == 0);
  CHECK(std::memcmp(single.data(), whole.data(), kSize * sizeof(float)) == 0);
  CHECK(std::isnan(whole[500]));
  CHECK(difference(whole[1002], 0.9 * std::cos(1002.0F) + 0.1 * std::sin(1002.0F)) < 1e-6);
}
