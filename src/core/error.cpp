#include "mnist_dist/core/error.hpp"

#include <fmt/format.h>

#include <system_error>

namespace mnist_dist {

Error file_error(const std::string& action, int error_number) {
  return {ExitCode::file_system, fmt::format("{}: {}", action, std::generic_category().message(error_number))};
}

std::string printable(const std::string& name) {
  std::string safe = name;
  for (char& character : safe) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20 || byte == 0x7f) character = '?';
  }
  return safe;
}

}  // namespace mnist_dist
