#include "input_segments.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "mnist_dist/nn/activations.hpp"

namespace mnist_dist::nn {

// Only operations that all processors round alike: ranks decide by these numbers who does what, and over which segments.

std::vector<double> zero_shares(std::size_t inputs, std::span<const float> offsets) {
  constexpr std::size_t kGroup = InputActivity::kInputsOfGroup;
  std::vector<double> zero((inputs + kGroup - 1) / kGroup, 0.0);
  if (offsets.empty()) return zero;
  for (std::size_t group = 0; group < zero.size(); ++group) {
    const std::size_t first = group * kGroup;
    const std::size_t count = std::min(kGroup, inputs - first);
    // An input that is v in a share p of the rows, otherwise 0, has the mean m = p v and the mean square p v^2 = m^2 + d^2:
    // 1 - p = d^2 / (m^2 + d^2) = 1 / (offset^2 + 1).
    for (const float offset : offsets.subspan(first, count)) {
      if (std::isnan(offset)) continue;  // never zero
      zero[group] += 1.0 / (double{offset} * double{offset} + 1.0) / static_cast<double>(count);
    }
  }
  return zero;
}

double activity_in_row(double zero_share) {
  // Of a group's four inputs, two and a half are as good as independent of each other. (Measured on MNIST.)
  return 1.0 - zero_share * zero_share * std::sqrt(zero_share);
}

std::vector<std::size_t> segment_ends(std::span<const double> zero_shares) {
  // In whole numbers, the work that a product has with a group: it leaves out what is zero in four rows of four inputs, of
  // which four are as good as independent.
  constexpr double kUnit = 1 << 12;
  std::vector<std::int64_t> done;
  for (const double share : zero_shares) {
    const std::int64_t work = std::llround(kUnit * (1.0 - (share * share) * (share * share)));
    done.push_back((done.empty() ? 0 : done.back()) + work);
  }
  const std::size_t segments = std::min(kMaxSegments, done.size());
  std::vector<std::size_t> ends;
  for (std::size_t segment = 1; segment < segments; ++segment) {
    // The group whose end is nearest to the segment's share of the work; every segment has one group at least.
    const std::int64_t goal = done.back() * static_cast<std::int64_t>(segment) / static_cast<std::int64_t>(segments);
    const auto nearest = std::ranges::min_element(done, {}, [&](std::int64_t sum) { return std::abs(sum - goal); });
    const auto end = static_cast<std::size_t>(nearest - done.begin()) + 1;
    const std::size_t least = ends.empty() ? 1 : ends.back() + 1;
    ends.push_back(std::clamp(end, least, done.size() - (segments - segment)));
  }
  ends.push_back(done.size());
  return ends;
}

}  // namespace mnist_dist::nn
