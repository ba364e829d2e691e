// The names of an enum's values, as options and files have them: one table stands beside each such enum. Local.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mnist_dist {

template <class Enum>
struct NamedValue {
  Enum value;
  const char* name;
};

/// A row for every value, the default first.
template <class Enum, std::size_t count>
using NamedValues = std::array<NamedValue<Enum>, count>;

/// "" for a value that is not in the table.
template <class Enum, std::size_t count>
[[nodiscard]] std::string name_of(const NamedValues<Enum, count>& table, Enum value) {
  for (const NamedValue<Enum>& row : table) {
    if (row.value == value) return row.name;
  }
  return {};
}

/// Nothing when there is no such name.
template <class Enum, std::size_t count>
[[nodiscard]] std::optional<Enum> value_of(const NamedValues<Enum, count>& table, std::string_view name) {
  for (const NamedValue<Enum>& row : table) {
    if (row.name == name) return row.value;
  }
  return std::nullopt;
}

template <class Enum, std::size_t count>
[[nodiscard]] std::vector<std::string> names_of(const NamedValues<Enum, count>& table) {
  std::vector<std::string> names;
  for (const NamedValue<Enum>& row : table) names.emplace_back(row.name);
  return names;
}

}  // namespace mnist_dist
