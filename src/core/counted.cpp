#include "mnist_dist/core/counted.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstddef>

namespace mnist_dist {

std::string in_ranges(const std::vector<int>& numbers) {
  constexpr std::size_t kMost = 6;
  std::vector<std::string> ranges;
  for (std::size_t begin = 0; begin < numbers.size();) {
    std::size_t end = begin + 1;
    while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1) ++end;
    ranges.push_back(end == begin + 1 ? fmt::format("{}", numbers[begin])
                                      : fmt::format("{} to {}", numbers[begin], numbers[end - 1]));
    begin = end;
  }
  if (ranges.size() <= kMost) return fmt::format("{}", fmt::join(ranges, ", "));
  return fmt::format("{}, {}, {} ... {}", ranges[0], ranges[1], ranges[2], numbers.back());
}

}  // namespace mnist_dist
