// Numbers in words: the one rule for plurals, and for lists. Local.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <vector>

namespace mnist_dist {

/// "1 class", "2 classes". @param many "" for what only takes an s
[[nodiscard]] std::string counted(std::integral auto count, std::string_view one, std::string_view many = "") {
  const std::string number = std::to_string(count) + " ";
  if (count == 1) return number + std::string(one);
  return number + (many.empty() ? std::string(one) + "s" : std::string(many));
}

/// "4 to 7", "0, 2 to 5", and of a long list its beginning and its end: "0, 2, 4 ... 62". @param numbers ascending
[[nodiscard]] std::string in_ranges(const std::vector<int>& numbers);

}  // namespace mnist_dist
