// The comparisons that all other tests rely on.
#include "float_comparison.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("differences are absolute, relative ones a share of what is expected") {
  CHECK(difference(1.5, 1.0) == 0.5);
  CHECK(difference(1.0, 1.5) == 0.5);
  CHECK(difference(-2.0, 2.0) == 4.0);
  CHECK(relative_difference(5.0, 4.0) == 0.25);
  CHECK(relative_difference(-3.0, -4.0) == 0.25);
  CHECK(is_close(1.5, 1.0, 0.5));
  CHECK_FALSE(is_close(1.5, 1.0, 0.49));
}

TEST_CASE("what is not a number is close to nothing, and infinity neither") {
  for (const double value : {kNan, -kNan, kInfinity, -kInfinity}) {
    CAPTURE(value);
    for (const double other : {0.0, 1.0, value}) {
      CAPTURE(other);
      CHECK(difference(value, other) == kInfinity);
      CHECK(difference(other, value) == kInfinity);
      CHECK(relative_difference(value, 1.0 + other) == kInfinity);
      CHECK_FALSE(is_close(value, other, 1e300));
      CHECK_FALSE(is_close(other, value, 1e300));
    }
  }
  CHECK(relative_difference(0.0, 0.0) == kInfinity);
}

TEST_CASE("the largest difference hides no value at any place") {
  const std::vector<float> expected = {1, 2, 3};
  CHECK(largest_difference(expected, std::vector<double>{1, 2.5, 2.75}) == 0.5);
  CHECK(largest_difference(expected, expected) == 0.0);
  CHECK(largest_difference(std::vector<float>{}, std::vector<float>{}) == 0.0);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    for (const double value : {kNan, kInfinity}) {
      std::vector<float> spoiled = expected;
      spoiled[i] = static_cast<float>(value);
      CAPTURE(i);
      CHECK(largest_difference(spoiled, expected) == kInfinity);
      CHECK(largest_difference(expected, spoiled) == kInfinity);
      CHECK(largest_difference(spoiled, spoiled) == kInfinity);
    }
  }
}

TEST_CASE("a range that is longer than the other is infinitely far from it") {
  const std::vector<float> two = {1, 2};
  CHECK(largest_difference(two, std::vector<float>{1, 2, 3}) == kInfinity);
  CHECK(largest_difference(std::vector<float>{1, 2, 3}, two) == kInfinity);
  CHECK(largest_difference(two, std::vector<float>{}) == kInfinity);
}

TEST_CASE("the larger error is the one that is no number, in either place") {
  CHECK(larger_error(1, 2) == 2);
  CHECK(larger_error(2, 1) == 2);
  CHECK(larger_error(kNan, 1) == kInfinity);
  CHECK(larger_error(1, kNan) == kInfinity);
  CHECK(larger_error(kInfinity, 1) == kInfinity);
}

TEST_CASE("an error that is no number shows nothing") {
  CHECK(exceeds(2, 1));
  CHECK_FALSE(exceeds(1, 1));
  CHECK_FALSE(exceeds(kNan, 1));
  CHECK_FALSE(exceeds(kInfinity, 1));
}
