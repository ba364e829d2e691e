#include "settings_flags.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <type_traits>
#include <vector>

#include "mnist_dist/core/atomic_file.hpp"
#include "recipes.hpp"

namespace mnist_dist::cli {
namespace {

/// CLI11 would read -5 as a number near 2^64.
std::string refuse_negative(const std::string& value) {
  return value.starts_with('-') ? fmt::format("{} is negative", value) : std::string();
}

struct Group {
  std::string_view first;  // the setting with which it begins
  const char* name;
};

/// Settings in the order of visit_settings(): each is in the group that began last.
constexpr Group kGroups[] = {{"data", "Data"},
                             {"hidden", "Network"},
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

void add_settings_flags(CLI::App& command, SettingsFlags& settings) {
  command
      .add_option("--recipe", settings.recipe, "settings for a purpose (see --list-recipes); --config and flags win")
      ->group("Settings as a whole");
  command.add_option("-c,--config", settings.config, "TOML file of these settings; flags on the command line win")
      ->group("Settings as a whole");
  const char* group = "";
  train::visit_settings(settings.values, [&]<class T>(const train::SettingInfo& info, T& value) {
    const std::string name = info.name;
    const auto* const begun = std::ranges::find(kGroups, name, &Group::first);
    if (begun != std::end(kGroups)) group = begun->name;
    CLI::Option* flag =
        command.add_option(name == "data" ? "DATA,--data" : "--" + name, value, with_range<T>(info))->group(group);
    if constexpr (std::is_same_v<T, std::vector<std::uint64_t>>) {
      flag->delimiter(',')->allow_extra_args(false)->default_str(fmt::format("{}", fmt::join(value, ",")));
    } else {
      flag->default_str(fmt::format("{}", value));
    }
    if constexpr (!std::is_same_v<T, std::string> && !std::is_same_v<T, double>) flag->check(refuse_negative);
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

train::Settings resolve_settings(const SettingsFlags& settings) {
  train::Settings resolved;
  if (!settings.recipe.empty()) {
    const Recipe& recipe = recipe_of_name(settings.recipe);
    resolved = train::settings_from_toml(std::string(recipe.toml), fmt::format("recipe {}", recipe.name));
  }
  if (!settings.config.empty()) {
    resolved = train::settings_from_toml(read_text_file(settings.config), settings.config, resolved);
  }
  train::override_settings(resolved, settings.values, given_settings(settings));
  train::check_settings(resolved);
  resolved.products = name_of(nn::kProducts, nn::resolved(train::products_of(resolved)));
  return resolved;
}

}  // namespace mnist_dist::cli
