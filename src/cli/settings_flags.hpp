// The settings of a run as flags of a command, and as a file.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <set>
#include <string>

#include "mnist_dist/train/settings.hpp"

namespace mnist_dist::cli {

/// What a command line says of the settings.
struct SettingsFlags {
  train::Settings values;                     ///< the defaults, and the values of the flags that were given
  std::map<std::string, CLI::Option*> flags;  ///< by the setting's name
  std::string config;                         ///< the file of --config, if any
};

/// The settings in force, but for what a recipe leaves to the data (train/recipe_scaling.hpp).
struct ResolvedSettings {
  train::Settings settings;
  std::set<std::string> given;      ///< names of those that stand on the command line or in --config
  std::set<std::string> of_recipe;  ///< names of those that the recipe decided
};

/// Adds a flag for every setting but `without`, and --config. @param settings outlives the parsing
void add_settings_flags(CLI::App& command, SettingsFlags& settings, const std::set<std::string>& without = {});

/// The settings that stand on the command line.
[[nodiscard]] std::set<std::string> given_settings(const SettingsFlags& settings);

/// What stands on the command line, then --config, then the recipe (that either names), then the defaults.
/// @throws Error usage: a value out of bounds, a wrong file, no such recipe; file_system: no such file
[[nodiscard]] ResolvedSettings resolve_settings(const SettingsFlags& settings);

}  // namespace mnist_dist::cli
