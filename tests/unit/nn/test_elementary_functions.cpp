// The functions from which activations are made, against the C library in double precision.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "../../../src/nn/kernels/elementary_functions.hpp"
#include "float_comparison.hpp"

using namespace mnist_dist;

namespace {

/// The largest distance between function(x) and expected(x), in units of the last place of the latter.
template <class Function, class Expected>
double largest_ulp(double from, double to, Function function, Expected expected) {
  double largest = 0;
  constexpr int kPoints = 400000;
  for (int i = 0; i <= kPoints; ++i) {
    const auto x = static_cast<float>(from + (to - from) * i / kPoints);
    const double exact = expected(double{x});
    const auto rounded = std::fabs(static_cast<float>(exact));
    const double ulp = double{std::nextafter(rounded, std::numeric_limits<float>::infinity())} - double{rounded};
    largest = larger_error(largest, difference(function(x), exact) / ulp);
  }
  return largest;
}

double exact_exponential(double x) {
  return std::exp(x);
}

}  // namespace

TEST_CASE("the exponential is within 2 units in the last place of std::exp") {
  CHECK(largest_ulp(-86.9, 88.72, nn::exponential, exact_exponential) < 2);
  CHECK(largest_ulp(-1, 1, nn::exponential, exact_exponential) < 2);
  CHECK(nn::exponential(0.0F) == 1.0F);
  CHECK(nn::exponential(-86.95F) == 0.0F);
  CHECK(nn::exponential(88.73F) == std::numeric_limits<float>::infinity());
  CHECK(nn::exponential(std::numeric_limits<float>::infinity()) == std::numeric_limits<float>::infinity());
  CHECK(nn::exponential(-std::numeric_limits<float>::infinity()) == 0.0F);
  CHECK(std::isnan(nn::exponential(std::numeric_limits<float>::quiet_NaN())));
}

TEST_CASE("the hyperbolic tangent is within 3 units in the last place of std::tanh") {
  const auto exact = [](double x) { return std::tanh(x); };
  CHECK(largest_ulp(-12, 12, nn::hyperbolic_tangent, exact) < 3);
  CHECK(largest_ulp(1e-6, 1e-2, nn::hyperbolic_tangent, exact) < 3);
  CHECK(nn::hyperbolic_tangent(0.0F) == 0.0F);
  CHECK(nn::hyperbolic_tangent(-std::numeric_limits<float>::infinity()) == -1.0F);
  CHECK(std::isnan(nn::hyperbolic_tangent(std::numeric_limits<float>::quiet_NaN())));
}

TEST_CASE("the normal distribution is within 2.5e-7 of std::erfc, its tail relatively within 1e-5") {
  double absolute = 0;
  double relative = 0;
  for (int i = -120000; i <= 120000; ++i) {
    const auto x = static_cast<float>(i) * 1e-4F;
    const nn::NormalDistribution normal = nn::normal_distribution(x);
    const double cumulative = 0.5 * std::erfc(-double{x} / std::sqrt(2.0));
    const double density = std::exp(-0.5 * double{x} * double{x}) / std::sqrt(2 * std::acos(-1.0));
    absolute = larger_error(absolute, difference(normal.cumulative, cumulative));
    absolute = larger_error(absolute, difference(normal.density, density));
    relative = larger_error(relative, relative_difference(normal.cumulative, cumulative));
  }
  CHECK(absolute < 2.5e-7);
  CHECK(relative < 1e-5);
}
