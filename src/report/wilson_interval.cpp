#include "mnist_dist/report/wilson_interval.hpp"

#include <algorithm>
#include <cmath>

namespace mnist_dist::report {

Interval wilson_interval(std::int64_t successes, std::int64_t total, double z) {
  if (total <= 0) return {};
  const auto n = static_cast<double>(total);
  const double proportion = static_cast<double>(successes) / n;
  const double centre = proportion + z * z / (2.0 * n);
  const double half_width = z * std::sqrt(proportion * (1.0 - proportion) / n + z * z / (4.0 * n * n));
  const double scale = 1.0 + z * z / n;
  // At both ends the exact bound is 0 or 1; rounding may miss it by a hair.
  const double low = successes == 0 ? 0.0 : (centre - half_width) / scale;
  const double high = successes == total ? 1.0 : (centre + half_width) / scale;
  return {std::clamp(low, 0.0, 1.0), std::clamp(high, 0.0, 1.0)};
}

}  // namespace mnist_dist::report
