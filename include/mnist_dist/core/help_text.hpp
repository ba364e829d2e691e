// The lines of --help, of at most 80 columns. Local.
#pragma once

#include <cstddef>
#include <string>

namespace mnist_dist {

/// Words in lines of at most 80 columns, a longer word in one of its own. @param line how the first line begins
/// @param indent blanks before each other line
[[nodiscard]] std::string wrapped(std::string line, const std::string& text, std::size_t indent);

/// An option or a command, with its meaning beside or below it.
[[nodiscard]] std::string help_entry(const std::string& name, const std::string& meaning);

}  // namespace mnist_dist
