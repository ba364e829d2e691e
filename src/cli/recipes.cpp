#include "recipes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/nearest_word.hpp"

namespace mnist_dist::cli {
namespace {

std::string_view purpose_of(const Recipe& recipe) {
  const std::string_view line = recipe.toml.substr(0, recipe.toml.find('\n'));
  return line.substr(line.find_first_not_of("# "));
}

}  // namespace

const Recipe& recipe_of_name(const std::string& name) {
  const auto found = std::ranges::find(recipes(), name, &Recipe::name);
  if (found != recipes().end()) return *found;
  std::vector<std::string> names;
  for (const Recipe& recipe : recipes()) names.emplace_back(recipe.name);
  throw Error(
      ExitCode::usage,
      fmt::format(
          "--recipe is '{}', but must be one of: {}{} (`mnist-dist train --list-recipes` tells what they are for)",
          printable(name), fmt::join(names, ", "), did_you_mean(name, names)));
}

std::string recipe_list() {
  std::string text;
  for (const Recipe& recipe : recipes()) text += fmt::format("{:<10} {}\n", recipe.name, purpose_of(recipe));
  return text;
}

}  // namespace mnist_dist::cli
