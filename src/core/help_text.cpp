#include "mnist_dist/core/help_text.hpp"

#include <fmt/format.h>

#include <sstream>

namespace mnist_dist {
namespace {

constexpr std::size_t kColumns = 80;
constexpr std::size_t kMeaning = 30;  // the column at which a meaning begins

}  // namespace

std::string wrapped(std::string line, const std::string& text, std::size_t indent) {
  std::string lines;
  std::istringstream words(text);
  bool begins = true;  // no blank before the first word of a line
  for (std::string word; words >> word; begins = false) {
    if (!begins && line.size() + 1 + word.size() > kColumns) {
      lines += line + "\n";
      line.assign(indent, ' ');
      begins = true;
    }
    line += (begins ? "" : " ") + word;
  }
  return lines + line + "\n";
}

std::string help_entry(const std::string& name, const std::string& meaning) {
  const std::string left = "  " + name;
  if (left.size() + 1 < kMeaning) return wrapped(fmt::format("{:<{}}", left, kMeaning), meaning, kMeaning);
  return left + "\n" + wrapped(std::string(kMeaning, ' '), meaning, kMeaning);
}

}  // namespace mnist_dist
