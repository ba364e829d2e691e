#include "mnist_dist/train/settings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <toml++/toml.h>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "mnist_dist/core/counted.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/nearest_word.hpp"

namespace mnist_dist::train {
namespace {

void check_number(const SettingInfo& info, double value) {
  if (value >= info.lowest && value <= info.highest) return;  // false for NaN
  throw Error(ExitCode::usage,
              fmt::format("--{} is {}, but must lie between {} and {}", info.name, value, info.lowest, info.highest));
}

bool is_utf8(const std::string& text) {
  try {
    static_cast<void>(nlohmann::json(text).dump());
  } catch (const nlohmann::json::type_error&) {
    return false;
  }
  return true;
}

struct Checker {
  void operator()(const SettingInfo& info, const std::string& value) const {
    if (value.empty() && !info.may_be_empty) throw Error(ExitCode::usage, fmt::format("--{} is empty", info.name));
    if (!is_utf8(value)) {
      throw Error(ExitCode::usage, fmt::format("--{} is '{}', which is not UTF-8, as config.toml must be: give the "
                                               "file another name",
                                               info.name, printable(value)));
    }
    if (info.choices.empty() || std::ranges::find(info.choices, value) != info.choices.end()) return;
    throw Error(ExitCode::usage, fmt::format("--{} is '{}', but must be one of: {}{}", info.name, printable(value),
                                             fmt::join(info.choices, ", "), did_you_mean(value, info.choices)));
  }
  void operator()(const SettingInfo& info, const std::vector<std::uint64_t>& values) const {
    for (const std::uint64_t value : values) check_number(info, static_cast<double>(value));
  }
  void operator()(const SettingInfo& info, double value) const { check_number(info, value); }
  void operator()(const SettingInfo& info, std::uint64_t value) const {
    check_number(info, static_cast<double>(value));
  }
};

// A JSON string is a TOML basic string, but for the control character that JSON lets stand as it is.
std::string as_toml(const std::string& value) {
  std::string text = nlohmann::json(value).dump();
  for (std::size_t place = 0; (place = text.find('\x7f', place)) != std::string::npos;) {
    text.replace(place, 1, "\\u007f");
  }
  return text;
}
std::string as_toml(double value) {
  return fmt::format("{}", value);
}
std::string as_toml(std::uint64_t value) {
  return fmt::format("{}", value);
}
std::string as_toml(const std::vector<std::uint64_t>& values) {
  return fmt::format("[{}]", fmt::join(values, ", "));
}

/// Reads one TOML value into a setting; false when the type does not fit.
bool read(const toml::node& node, std::string& value) {
  const auto text = node.value_exact<std::string>();
  if (text) value = *text;
  return text.has_value();
}
bool read(const toml::node& node, double& value) {
  const auto number = node.is_number() ? node.value<double>() : std::nullopt;
  if (number) value = *number;
  return number.has_value();
}
bool read(const toml::node& node, std::uint64_t& value) {
  const auto number = node.value_exact<std::int64_t>();
  if (!number || *number < 0) return false;
  value = static_cast<std::uint64_t>(*number);
  return true;
}
bool read(const toml::node& node, std::vector<std::uint64_t>& values) {
  if (!node.is_array()) return false;
  values.clear();
  for (const toml::node& element : *node.as_array()) {
    if (!read(element, values.emplace_back())) return false;
  }
  return true;
}

const char* type_name(const std::string& /*value*/) {
  return "a text in quotes";
}
const char* type_name(double /*value*/) {
  return "a number";
}
const char* type_name(std::uint64_t /*value*/) {
  return "a whole number that is not negative";
}
const char* type_name(const std::vector<std::uint64_t>& /*value*/) {
  return "a list such as [100, 100]";
}

toml::table parse_toml(const std::string& text, const std::string& name) {
  try {
    return toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    throw Error(ExitCode::usage, fmt::format("{}, line {}: {}", name, error.source().begin.line,
                                             printable(std::string(error.description()))));
  }
}

}  // namespace

nn::Activation activation_of(const Settings& settings) {
  return value_of(nn::kActivations, settings.activation).value();
}

optim::OptimizerKind optimizer_of(const Settings& settings) {
  return value_of(optim::kOptimizers, settings.optimizer).value();
}

optim::ScheduleKind schedule_of(const Settings& settings) {
  return value_of(optim::kSchedules, settings.schedule).value();
}

optim::ScheduleSettings schedule_settings(const Settings& settings, std::size_t steps_per_epoch) {
  return {.kind = schedule_of(settings),
          .warmup_steps = static_cast<std::int64_t>(settings.warmup_steps),
          .total_steps = static_cast<std::int64_t>(settings.epochs * steps_per_epoch),
          .decay_steps = static_cast<std::int64_t>(settings.decay_every * steps_per_epoch),
          .decay = settings.decay};
}

comm::ReductionKind reduction_of(const Settings& settings) {
  return value_of(comm::kReductions, settings.reduction).value();
}

comm::ExchangeKind exchange_of(const Settings& settings) {
  return value_of(comm::kExchanges, settings.exchange).value();
}

nn::Products products_of(const Settings& settings) {
  return value_of(nn::kProducts, settings.products).value();
}

ClassWeights class_weights_of(const Settings& settings) {
  return value_of(kClassWeights, settings.class_weights).value();
}

void check_settings(const Settings& settings) {
  visit_settings(settings, Checker{});
  if (optimizer_of(settings) == optim::OptimizerKind::adam && settings.beta2 >= 1) {
    throw Error(ExitCode::usage, "--beta2 is 1, but must be below 1 with --optimizer adam");
  }
}

void check_shards(const Settings& settings, int ranks) {
  if (static_cast<std::uint64_t>(ranks) <= settings.shards) return;
  throw Error(ExitCode::usage,
              fmt::format("{} ranks cannot share {}: start at most {}, or give --shards {} (the number of shards is "
                          "part of the result)",
                          ranks, counted(settings.shards, "shard"), counted(settings.shards, "rank"), ranks));
}

void override_settings(Settings& settings, const Settings& overriding, const std::set<std::string>& names) {
  // Both are visited in the same order, so the n-th member of one is that of the other.
  std::vector<const void*> sources;
  visit_settings(overriding, [&](const SettingInfo& /*info*/, const auto& value) { sources.push_back(&value); });
  std::size_t next = 0;
  visit_settings(settings, [&]<class T>(const SettingInfo& info, T& value) {
    const void* source = sources[next++];
    if (names.contains(info.name)) value = *static_cast<const T*>(source);
  });
}

std::vector<SettingValue> setting_values(const Settings& settings) {
  std::vector<SettingValue> values;
  visit_settings(settings, [&](const SettingInfo& info, const auto& value) {
    values.push_back({info.name, as_toml(value)});
  });
  return values;
}

std::string to_toml(const Settings& settings) {
  std::string text;
  for (const SettingValue& one : setting_values(settings)) text += fmt::format("{} = {}\n", one.name, one.value);
  return text;
}

std::set<std::string> names_in_toml(const std::string& text, const std::string& name) {
  std::set<std::string> names;
  for (const auto& [key, node] : parse_toml(text, name)) names.emplace(key.str());
  return names;
}

std::string changed_settings(const Settings& settings, const Settings& other, const std::set<std::string>& names) {
  const std::vector<SettingValue> before = setting_values(settings);
  const std::vector<SettingValue> after = setting_values(other);
  std::vector<std::string> changed;
  for (std::size_t i = 0; i < after.size(); ++i) {
    const auto& [name, value] = after[i];
    if (value != before[i].value && names.contains(name)) changed.push_back(fmt::format("{} {}", name, value));
  }
  return fmt::format("{}", fmt::join(changed, ", "));
}

Settings settings_from_toml(const std::string& text, const std::string& name, const Settings& defaults) {
  const toml::table table = parse_toml(text, name);
  Settings settings = defaults;
  std::vector<std::string> known;
  visit_settings(settings, [&](const SettingInfo& info, auto& value) {
    known.emplace_back(info.name);
    const toml::node* node = table.get(info.name);
    if (node != nullptr && !read(*node, value)) {
      throw Error(ExitCode::usage, fmt::format("{}, line {}: {} must be {}", name, node->source().begin.line, info.name,
                                               type_name(value)));
    }
  });
  for (const auto& [key, node] : table) {
    const std::string unknown(key.str());
    if (std::ranges::find(known, unknown) != known.end()) continue;
    throw Error(ExitCode::usage,
                fmt::format("{}, line {}: unknown key '{}'{}; known are: {}", name, key.source().begin.line,
                            printable(unknown), did_you_mean(unknown, known), fmt::join(known, ", ")));
  }
  return settings;
}

}  // namespace mnist_dist::train
