// The recipes: settings for a purpose, as TOML. They lie in jobs/recipes/ and are built into the program.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "mnist_dist/train/settings.hpp"

namespace mnist_dist::cli {

struct Recipe {
  std::string_view name;
  std::string_view toml;  ///< its first line is a comment that says what it is for
};

/// All recipes, by name.
[[nodiscard]] std::span<const Recipe> recipes();

/// @throws Error (usage) when there is none of that name; says which there are
[[nodiscard]] const Recipe& recipe_of_name(const std::string& name);

/// The recipe by which these settings came about, as far as can be seen: all that it sets, but for the epochs, has its
/// values. "" for none.
[[nodiscard]] std::string recipe_of(const train::Settings& settings);

/// A line for each: its name and what it is for.
[[nodiscard]] std::string recipe_list();

}  // namespace mnist_dist::cli
