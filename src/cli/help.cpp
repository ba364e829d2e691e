#include "help.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "mnist_dist/core/allowed_values.hpp"
#include "mnist_dist/core/help_text.hpp"
#include "mnist_dist/core/nearest_word.hpp"

namespace mnist_dist::cli {
namespace {

struct Meaning {
  ExitCode code;
  const char* text;
};

constexpr Meaning kMeanings[] = {
    {ExitCode::done, "done"},
    {ExitCode::usage, "wrong usage"},
    {ExitCode::bad_data, "bad input data"},
    {ExitCode::file_system, "file system"},
    {ExitCode::rank_failed, "a rank failed or hung"},
    {ExitCode::other_bits, "not the same bits"},
    {ExitCode::unhealthy, "doctor found a problem"},
    {ExitCode::bug, "a bug"},
    {ExitCode::stopped_early, "stopped early with a checkpoint saved: go on with train --resume"},
};

class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() {
    label("Positionals", "Arguments");
    label("SUBCOMMAND", "COMMAND");
    label("Subcommands", "Commands");
  }
  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    return help_entry(make_option_name(option, is_positional) + make_option_opts(option), make_option_desc(option));
  }
  std::string make_subcommand(const CLI::App* command) const override {
    return help_entry(command->get_name(), command->get_description());
  }
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override {
    return CLI::detail::find_and_replace(CLI::Formatter::make_help(app, std::move(name), mode), "\n\n\n", "\n\n");
  }
  std::string make_description(const CLI::App* app) const override { return wrapped("", app->get_description(), 0); }
};

std::string without_value(const std::string& option) {
  return option.substr(0, option.find('='));
}

/// Of the option that is none. "" where that is not what is wrong.
std::string unknown_option(const CLI::App& command) {
  const std::vector<std::string> rest = command.remaining();
  const auto found = std::ranges::find_if(rest, [](const std::string& word) { return word.starts_with('-'); });
  if (found == rest.end()) return {};
  std::vector<std::string> known;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  const std::string option = without_value(*found);
  return fmt::format("{} has no option {}{}", command.get_name(), option, did_you_mean(option, known));
}

std::string missing_command(const std::vector<std::string>& arguments, const std::vector<std::string>& commands) {
  const auto found = std::ranges::find_if(arguments, [](const std::string& word) { return !word.starts_with('-'); });
  const std::string wrong = found == arguments.end()
                                ? "a command is missing"
                                : fmt::format("'{}' is not a command{}", *found, did_you_mean(*found, commands));
  return fmt::format("{}; the commands are {}", wrong, fmt::join(commands, ", "));
}

}  // namespace

std::shared_ptr<CLI::FormatterBase> help_formatter() {
  return std::make_shared<HelpFormatter>();
}

std::string help_footer(const std::vector<ExitCode>& codes, const std::vector<std::string>& example) {
  std::string list;
  for (const Meaning& meaning : kMeanings) {
    if (!codes.empty() && std::ranges::find(codes, meaning.code) == codes.end()) continue;
    list += fmt::format("{}{} {}", list.empty() ? "" : ", ", static_cast<int>(meaning.code), meaning.text);
  }
  const std::string heading = "exit codes: ";
  std::string text = wrapped(heading, list, heading.size()) + "\n";
  for (const std::string& line : example) {
    text += fmt::format("{:<{}}{}\n", &line == &example.front() ? "example:" : "", heading.size(), line);
  }
  text.pop_back();  // CLI11 ends the footer's last line
  return text;
}

std::vector<std::string> with_help_words(std::vector<std::string> arguments, const std::vector<std::string>& commands) {
  if (arguments.empty()) return arguments;
  if (arguments.front() == "version") {
    arguments.front() = "--version";
  } else if (arguments.front() == "help") {
    arguments.erase(arguments.begin());
    const bool explains = arguments.empty() || std::ranges::find(commands, arguments.front()) != commands.end();
    if (explains) arguments.emplace_back("--help");
  }
  return arguments;
}

std::string usage_error(const CLI::App& app, const CLI::ParseError& error, const std::vector<std::string>& arguments,
                        const std::vector<std::string>& commands) {
  const auto chosen = app.get_subcommands();
  const CLI::App& command = chosen.empty() ? app : *chosen.front();
  std::string message;
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) message = unknown_option(command);
  if (chosen.empty() && error.get_name() == "RequiredError") message = missing_command(arguments, commands);
  if (message.empty()) message = error.what();
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) message = wanted_values(message);
  std::ranges::replace(message, '\n', ' ');
  return fmt::format("{}; see `mnist-dist{} --help`", message, chosen.empty() ? "" : " " + command.get_name());
}

}  // namespace mnist_dist::cli
