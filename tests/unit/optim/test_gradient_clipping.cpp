#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "float_comparison.hpp"
#include "mnist_dist/optim/gradient_clipping.hpp"

using namespace mnist_dist;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Values whose sum of squares depends on the order of the additions.
std::vector<float> uneven(std::size_t size) {
  std::vector<float> values(size);
  for (std::size_t i = 0; i < size; ++i) {
    values[i] = std::sin(static_cast<float>(i + 1)) * std::pow(10.0F, static_cast<float>((i * 7) % 11) - 5.0F);
  }
  return values;
}

/// The order that the header promises, lane by lane.
double sum_by_the_header(const std::vector<float>& values) {
  std::array<double, 16> lanes{};
  for (std::size_t lane = 0; lane < 16; ++lane) {
    for (std::size_t i = lane; i < values.size(); i += 16) {
      lanes[lane] += static_cast<double>(values[i]) * static_cast<double>(values[i]);
    }
  }
  const auto pair = [&](std::size_t i) { return lanes[i] + lanes[i + 8]; };
  const auto four = [&](std::size_t i) { return pair(i) + pair(i + 4); };
  const auto eight = [&](std::size_t i) { return four(i) + four(i + 2); };
  return eight(0) + eight(1);
}

}  // namespace

TEST_CASE("the sum of squares is exact where it can be") {
  CHECK(optim::sum_of_squares({}) == 0);
  CHECK(optim::sum_of_squares(std::vector<float>{3.0F, -4.0F}) == 25);
  std::vector<float> values(1003);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i + 1) * (i % 2 == 0 ? 1.0F : -1.0F);
  CHECK(optim::sum_of_squares(values) == 1003.0 * 1004.0 * 2007.0 / 6.0);
  // In float the squares would be infinite and 0.
  CHECK(optim::sum_of_squares(std::vector<float>{0x1p120F}) == 0x1p240);
  CHECK(optim::sum_of_squares(std::vector<float>{0x1p-120F}) == 0x1p-240);
}

TEST_CASE("the sum of squares has one order for every size and place") {
  bool order_matters = false;
  for (std::size_t size = 0; size < 120; ++size) {
    CAPTURE(size);
    const std::vector<float> values = uneven(size);
    const double sum = optim::sum_of_squares(values);
    CHECK(sum == sum_by_the_header(values));
    double in_sequence = 0;
    for (const float value : values) in_sequence += static_cast<double>(value) * static_cast<double>(value);
    order_matters = order_matters || in_sequence != sum;
    for (std::size_t place = 1; place < 17; ++place) {
      std::vector<float> moved(place);
      moved.insert(moved.end(), values.begin(), values.end());
      CHECK(optim::sum_of_squares(std::span<const float>(moved).subspan(place)) == sum);
    }
  }
  CHECK(order_matters);
}

TEST_CASE("a gradient within the limit is left alone, a longer one is scaled down to it") {
  CHECK(optim::clip_factor(25, 5) == 1);
  CHECK(optim::clip_factor(25, 6) == 1);
  CHECK(optim::clip_factor(0, 5) == 1);
  CHECK(optim::clip_factor(25, 2) == 0.4);
  CHECK(optim::clip_factor(1e300, static_cast<double>(kInfinity)) == 1);
  std::vector<float> gradient = uneven(1003);
  const std::vector<float> before = gradient;
  optim::scale_gradient(1, gradient);
  CHECK(gradient == before);
  optim::scale_gradient(optim::clip_factor(optim::sum_of_squares(gradient), 0.5), gradient);
  CHECK(difference(std::sqrt(optim::sum_of_squares(gradient)), 0.5) < 1e-6);
  CHECK(relative_difference(gradient[1002] / gradient[1001], before[1002] / before[1001]) < 1e-6);
}

TEST_CASE("a gradient that is no number or infinite is not clipped to a harmless one") {
  for (const float value : {kInfinity, -kInfinity, std::nanf("")}) {
    std::vector<float> gradient(40, 1.0F);
    gradient[37] = value;
    const double factor = optim::clip_factor(optim::sum_of_squares(gradient), 1);
    CHECK(std::isnan(factor));
    optim::scale_gradient(factor, gradient);
    CHECK(std::isnan(gradient[0]));
  }
}
