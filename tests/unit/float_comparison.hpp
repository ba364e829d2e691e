// The one way in which tests compare computed floats. A plain std::fabs(a - b) in a std::max, or a `!=`, lets a value
// that is not a number pass; here such a value is infinitely far from everything.
#pragma once

#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>

/// |a - b|; infinity where one of them is infinite or not a number, even if the other is too.
inline double difference(double a, double b) {
  const double distance = std::fabs(a - b);
  return std::isfinite(distance) ? distance : std::numeric_limits<double>::infinity();
}

/// The difference as a share of |expected|, which must not be 0.
inline double relative_difference(double value, double expected) {
  return difference(value / expected, 1);
}

/// The larger of two errors; infinity where one of them is not a number.
inline double larger_error(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<double>::infinity();
  return a > b ? a : b;
}

/// The largest difference between values at the same place; infinity where one range is longer than the other.
template <class Left, class Right>
double largest_difference(const Left& left, const Right& right) {
  if (std::size(left) != std::size(right)) return std::numeric_limits<double>::infinity();
  double largest = 0;
  for (std::size_t i = 0; i < std::size(left); ++i) largest = larger_error(largest, difference(left[i], right[i]));
  return largest;
}

inline bool is_close(double a, double b, double tolerance) {
  return difference(a, b) <= tolerance;
}

/// Whether an error is a number above the bound: for tests which show that a comparison can fail.
inline bool exceeds(double error, double bound) {
  return std::isfinite(error) && error > bound;
}
