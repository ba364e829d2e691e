#include "mnist_dist/core/nearest_word.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace mnist_dist {
namespace {

constexpr std::size_t kLongestWord = 64;  // nobody mistypes a longer one

/// The optimal string alignment distance (Damerau 1964): letters replaced, left out, added, or exchanged.
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::vector<std::size_t>> costs(from.size() + 1, std::vector<std::size_t>(to.size() + 1));
  for (std::size_t i = 0; i <= from.size(); ++i) {
    for (std::size_t j = 0; j <= to.size(); ++j) {
      std::size_t& cost = costs[i][j];
      if (i == 0 || j == 0) {
        cost = i + j;
        continue;
      }
      const bool same = from[i - 1] == to[j - 1];
      cost = std::min({costs[i - 1][j] + 1, costs[i][j - 1] + 1, costs[i - 1][j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) {
        cost = std::min(cost, costs[i - 2][j - 2] + 1);
      }
    }
  }
  return costs[from.size()][to.size()];
}

}  // namespace

std::string nearest_word(std::string_view word, std::span<const std::string> known) {
  constexpr std::size_t kShortestBeginning = 3;
  if (word.size() > kLongestWord) return {};
  const std::string* nearest = nullptr;
  std::size_t least = 0;
  for (const std::string& candidate : known) {
    std::size_t cost = distance(word, candidate);
    if (word.size() >= kShortestBeginning && candidate.starts_with(word)) cost = 1;
    if (nearest == nullptr || cost < least) {
      nearest = &candidate;
      least = cost;
    }
  }
  const std::size_t most = std::max<std::size_t>(1, word.size() / 3);
  return nearest != nullptr && least <= most && least < word.size() ? *nearest : std::string();
}

std::string did_you_mean(std::string_view word, std::span<const std::string> known) {
  const std::string nearest = nearest_word(word, known);
  return nearest.empty() ? std::string() : fmt::format(" (did you mean {}?)", nearest);
}

}  // namespace mnist_dist
