#include "settings_flags.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <type_traits>
#include <vector>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/read_file.hpp"
#include "recipes.hpp"

namespace mnist_dist::cli {
namespace {

/// What is wrong with a number. CLI11 would read -5 as a number near 2^64. Lists it names as a whole.
template <class T>
std::string number_fault(const std::string& value) {
  constexpr bool kReal = std::is_same_v<T, double>;
  if (!kReal && value.starts_with('-')) return fmt::format("{} is negative", printable(value));
  if constexpr (kReal || std::is_same_v<T, std::uint64_t>) {
    T number{};
    if (!CLI::detail::lexical_cast(value, number)) {
      return fmt::format("'{}' is no {}", printable(value), kReal ? "number, such as 0.1 or 1e-3" : "whole number");
    }
  }
  return {};
}

struct Group {
  std::string_view first;  // the setting with which it begins
  const char* name;
};

/// Settings in the order of visit_settings(): each is in the group that began last.
constexpr Group kGroups[] = {{"data", "Data"},
                             {"recipe", "Settings as a whole"},
                             {"init-from", "Network"},
                             {"optimizer", "Optimiser"},
                             {"rotation", "Augmentation of training images"},
                             {"deviation-floor", "Data"},
                             {"batch-size", "Optimiser"},
                             {"holdout", "Data"},
                             {"f-beta", "Stopping"},
                             {"shards", "Computation"},
                             {"checkpoint-every", "Files"}};

/// What a number may be, behind its meaning.
template <class T>
std::string with_range(const train::SettingInfo& info) {
  constexpr double kMany = 1e6;  // nobody asks for the limits beyond
  if (std::is_same_v<T, std::string> || (info.lowest == 0 && info.highest >= kMany)) return info.help;
  if (info.highest >= kMany) return fmt::format("{} [at least {}]", info.help, info.lowest);
  return fmt::format("{} [{} to {}]", info.help, info.lowest, info.highest);
}

}  // namespace

void add_settings_flags(CLI::App& command, SettingsFlags& settings, const std::set<std::string>& without) {
  command.add_option("-c,--config", settings.config, "TOML file of these settings; flags on the command line win")
      ->group("Settings as a whole");
  const char* group = "";
  train::visit_settings(settings.values, [&]<class T>(const train::SettingInfo& info, T& value) {
    const std::string name = info.name;
    const auto* const begun = std::ranges::find(kGroups, name, &Group::first);
    if (begun != std::end(kGroups)) group = begun->name;
    if (without.contains(name)) return;
    CLI::Option* flag =
        command.add_option(name == "data" ? "DATA,--data" : "--" + name, value, with_range<T>(info))->group(group);
    if constexpr (std::is_same_v<T, std::vector<std::uint64_t>>) {
      flag->delimiter(',')->allow_extra_args(false)->default_str(fmt::format("{}", fmt::join(value, ",")));
    } else {
      flag->default_str(fmt::format("{}", value));
    }
    if constexpr (!std::is_same_v<T, std::string>) flag->check(number_fault<T>);
    settings.flags[name] = flag;
  });
}

std::set<std::string> given_settings(const SettingsFlags& settings) {
  std::set<std::string> given;
  for (const auto& [name, flag] : settings.flags) {
    if (flag->count() > 0) given.insert(name);
  }
  return given;
}

ResolvedSettings resolve_settings(const SettingsFlags& flags) {
  const std::set<std::string> given = given_settings(flags);
  const std::string config = flags.config.empty() ? "" : read_text_file_or_pipe(flags.config);
  const std::set<std::string> in_config = train::names_in_toml(config, flags.config);
  const std::string recipe_of_config = train::settings_from_toml(config, flags.config).recipe;
  const Recipe& recipe = recipe_of_name(given.contains("recipe") ? flags.values.recipe : recipe_of_config);
  if (in_config.contains("recipe") && recipe.name != recipe_of_config) {
    throw Error(ExitCode::usage, fmt::format("--recipe is {}, but {} names the recipe {}: leave one of them away",
                                             recipe.name, printable(flags.config), recipe_of_config));
  }

  const std::string toml(recipe.toml);
  const std::string name = fmt::format("recipe {}", recipe.name);
  ResolvedSettings resolved{train::settings_from_toml(toml, name), given, {}};
  resolved.settings = train::settings_from_toml(config, flags.config, resolved.settings);
  train::override_settings(resolved.settings, flags.values, given);
  resolved.settings.recipe = recipe.name;
  train::check_settings(resolved.settings);
  resolved.settings.products = name_of(nn::kProducts, nn::resolved(train::products_of(resolved.settings)));
  resolved.given.insert(in_config.begin(), in_config.end());
  for (const std::string& setting : train::names_in_toml(toml, name)) {
    if (!in_config.contains(setting) && !given.contains(setting)) resolved.of_recipe.insert(setting);
  }
  return resolved;
}

}  // namespace mnist_dist::cli
