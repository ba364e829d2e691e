// How --help reads, and what is said of a command line that is wrong. Lines of at most 80 columns.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "mnist_dist/core/error.hpp"

namespace mnist_dist::cli {

/// Prints options in groups, with the meaning beside or below each.
[[nodiscard]] std::shared_ptr<CLI::FormatterBase> help_formatter();

/// What stands below the options. @param codes in ascending order; empty for all  @param example lines for a shell
[[nodiscard]] std::string help_footer(const std::vector<ExitCode>& codes, const std::vector<std::string>& example);

/// The arguments with `help`, `help COMMAND` and `version` as the options that they stand for.
[[nodiscard]] std::vector<std::string> with_help_words(std::vector<std::string> arguments,
                                                       const std::vector<std::string>& commands);

/// What is wrong with the arguments, on one line, with the way out.
[[nodiscard]] std::string usage_error(const CLI::App& app, const CLI::ParseError& error,
                                      const std::vector<std::string>& arguments,
                                      const std::vector<std::string>& commands);

}  // namespace mnist_dist::cli
