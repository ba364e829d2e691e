// What is wrong with the value of an option, as a command line's reader asks it: "" where nothing is. Local.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mnist_dist {

using ValueCheck = std::function<std::string(const std::string& value)>;

/// One of the names alone.
[[nodiscard]] ValueCheck one_of(std::vector<std::string> names);

/// Anything but an empty text: that is a variable of the shell without a value, and no wish for a default.
[[nodiscard]] std::string not_empty(const std::string& value);

/// A whole number in decimal digits, both limits being allowed.
[[nodiscard]] ValueCheck whole_number(std::int64_t lowest, std::int64_t highest);

/// What an option with another number of values wants. @param message the reader's own, such as "RUN: At least 2
/// required but received 1"
[[nodiscard]] std::string wanted_values(const std::string& message);

}  // namespace mnist_dist
