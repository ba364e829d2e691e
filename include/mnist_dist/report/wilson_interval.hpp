// How far a proportion that was measured on a sample can be from the true one. Local.
#pragma once

#include <cstdint>

namespace mnist_dist::report {

/// Both ends are in [0, 1].
struct Interval {
  double low = 0.0;
  double high = 1.0;
};

/// The score interval of a binomial proportion (Wilson, "Probable inference, the law of succession, and
/// statistical inference", Journal of the American Statistical Association 22, 1927): all p for which
/// `successes` lies within z standard deviations sqrt(p (1 - p) total) of p * total. Unlike p +- z *
/// deviation it stays within [0, 1] and has a width at 0 % and 100 %. With a total of 0 nothing is known: [0,
/// 1].
///
/// @param z the standard normal quantile; the default leaves 2.5 % on either side, a 95 % interval
[[nodiscard]] Interval wilson_interval(std::int64_t successes, std::int64_t total, double z = 1.959963984540054);

}  // namespace mnist_dist::report
