#include "mnist_dist/core/allowed_values.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <system_error>
#include <utility>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/nearest_word.hpp"

namespace mnist_dist {

ValueCheck one_of(std::vector<std::string> names) {
  return [names = std::move(names)](const std::string& value) {
    if (std::ranges::find(names, value) != names.end()) return std::string();
    return fmt::format("'{}' must be one of: {}{}", printable(value), fmt::join(names, ", "),
                       did_you_mean(value, names));
  };
}

std::string not_empty(const std::string& value) {
  return value.empty() ? "'' names nothing; is a variable of the shell empty?" : "";
}

ValueCheck whole_number(std::int64_t lowest, std::int64_t highest) {
  return [lowest, highest](const std::string& value) {
    std::int64_t number = 0;
    const bool fits = std::from_chars(value.data(), value.data() + value.size(), number).ec == std::errc();
    // CLI11 takes 010 for 8.
    if (fits && fmt::to_string(number) == value && number >= lowest && number <= highest) return std::string();
    return fmt::format("'{}' must be a whole number from {} to {}", printable(value), lowest, highest);
  };
}

std::string wanted_values(const std::string& message) {
  const std::string option = message.substr(0, message.find(':'));
  const std::string_view before = ": At least ";
  const std::size_t found = message.find(before);
  if (found == std::string::npos) return option + " wants one value";
  const std::string number = message.substr(found + before.size());
  return fmt::format("{} wants {} values", option, number.substr(0, number.find(' ')));
}

}  // namespace mnist_dist
