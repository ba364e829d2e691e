#include "input_segments.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "mnist_dist/nn/activations.hpp"

namespace mnist_dist::nn {

std::vector<double> group_activity(std::size_t inputs, std::span<const float> offsets) {
  constexpr std::size_t kGroup = InputActivity::kInputsOfGroup;
  // Of a group's inputs, so many are as good as independent of each other. (Measured on MNIST.)
  constexpr double kIndependent = 2.5;
  std::vector<double> activity((inputs + kGroup - 1) / kGroup, 1.0);
  if (offsets.empty()) return activity;
  for (std::size_t group = 0; group < activity.size(); ++group) {
    const std::size_t first = group * kGroup;
    const std::size_t count = std::min(kGroup, inputs - first);
    // An input that is v in a share p of the rows, otherwise 0, has the mean m = p v and the mean square p v^2 = m^2 + d^2:
    // p = m^2 / (m^2 + d^2).
    double shares = 0;
    for (const float offset : offsets.subspan(first, count)) {
      const double square = double{offset} * double{offset};
      shares += square / (square + 1.0);
    }
    activity[group] = 1.0 - std::pow(1.0 - shares / static_cast<double>(count), kIndependent);
  }
  return activity;
}

std::vector<std::size_t> segment_ends(std::span<const double> activity) {
  // What a product leaves out is what is zero in several rows, so that groups differ less than in single rows.
  constexpr double kIndependentRows = 1.6;
  // Work in whole numbers: where a segment ends decides about bits, so it must not depend on how a sum was rounded.
  constexpr double kUnit = 1 << 12;
  std::vector<std::int64_t> done;
  for (const double share : activity) {
    const std::int64_t work = std::llround(kUnit * (1.0 - std::pow(1.0 - share, kIndependentRows)));
    done.push_back((done.empty() ? 0 : done.back()) + work);
  }
  const std::size_t segments = std::min(kMaxSegments, activity.size());
  std::vector<std::size_t> ends;
  for (std::size_t segment = 1; segment < segments; ++segment) {
    // The group whose end is nearest to the segment's share of the work; every segment has one group at least.
    const std::int64_t goal = done.back() * static_cast<std::int64_t>(segment) / static_cast<std::int64_t>(segments);
    const auto nearest = std::ranges::min_element(done, {}, [&](std::int64_t sum) { return std::abs(sum - goal); });
    const auto end = static_cast<std::size_t>(nearest - done.begin()) + 1;
    const std::size_t least = ends.empty() ? 1 : ends.back() + 1;
    ends.push_back(std::clamp(end, least, activity.size() - (segments - segment)));
  }
  ends.push_back(activity.size());
  return ends;
}

}  // namespace mnist_dist::nn
