// A number of things, in words: the one rule for plurals. Local.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace mnist_dist {

/// "1 class", "2 classes". @param many "" for what only takes an s
[[nodiscard]] std::string counted(std::integral auto count, std::string_view one, std::string_view many = "") {
  const std::string number = std::to_string(count) + " ";
  if (count == 1) return number + std::string(one);
  return number + (many.empty() ? std::string(one) + "s" : std::string(many));
}

}  // namespace mnist_dist
