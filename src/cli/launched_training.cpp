#include "launched_training.hpp"

#include <fmt/format.h>

#include <cstdint>

#include "commands.hpp"
#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/core/counted.hpp"
#include "mnist_dist/run/run_folder.hpp"
#include "settings_flags.hpp"

namespace mnist_dist::cli {
namespace {

/// The value of an option that was given; "" for none.
std::string value_of(const CLI::App& train, const char* option) {
  return train.count(option) == 0 ? std::string() : train.get_option(option)->results().back();
}

/// Of the training with these words; nothing where only the ranks can know. @throws Error where its settings are wrong
std::optional<std::uint64_t> shards_of(CLI::App& train) {
  SettingsFlags flags;
  for (const char* name : {"recipe", "shards"}) flags.flags[name] = train.get_option(fmt::format("--{}", name));
  flags.values.recipe = value_of(train, "--recipe");
  if (train.count("--shards") > 0) flags.values.shards = train.get_option("--shards")->as<std::uint64_t>();
  const std::string run = value_of(train, "--resume");
  flags.config = run.empty() ? value_of(train, "--config") : run::RunFolder::open(run).config().string();
  std::error_code ignored;
  const bool is_file = flags.config.empty() || std::filesystem::is_regular_file(flags.config, ignored);
  if (!is_file && std::filesystem::exists(flags.config, ignored)) return std::nullopt;  // a pipe can be read once
  return resolve_settings(flags).settings.shards;
}

/// @throws Error as shards_of() does; usage: there are fewer
void check_shards(CLI::App& train, int ranks) {
  const std::optional<std::uint64_t> shards = shards_of(train);
  if (!shards || static_cast<std::uint64_t>(ranks) <= *shards) return;
  throw Error(ExitCode::usage, fmt::format("-np asks for {}, and --shards is {}: ask for at most {}, or train anew "
                                           "with --shards {} (the number of shards is part of the result)",
                                           counted(ranks, "rank"), *shards, *shards, ranks));
}

}  // namespace

std::unique_ptr<Training> Training::of(const Words& command, int ranks) {
  if (command.front() != "train") return nullptr;
  CLI::App train;
  const RunCommand unused = add_train_command(train);
  try {
    train.parse(Words(command.rbegin(), command.rend() - 1));
  } catch (const CLI::Error&) {
    return nullptr;  // help, or words that are wrong: the ranks tell
  }
  if (train.count("--list-recipes") > 0) return nullptr;
  check_shards(train, ranks);
  const bool has_limit = train.count("--hang-timeout") > 0;
  const std::chrono::seconds limit(has_limit ? train.get_option("--hang-timeout")->as<int>() : comm::kHangTimeout);
  if (const std::string run = value_of(train, "--resume"); !run.empty()) {
    return std::unique_ptr<Training>(new Training(run, command, command, limit, false));
  }
  std::filesystem::path run = value_of(train, "--output");
  Words first = command;
  const bool made = run.empty();
  if (made) {
    run = run::make_run_folder();
    first.insert(first.end(), {"-o", run.string()});
  } else if (std::filesystem::exists(run / "config.toml")) {
    return nullptr;  // another run, which must not be gone on with: the ranks tell
  }
  Words resuming = {"train", "--resume", run.string()};
  if (has_limit) resuming.insert(resuming.end(), {"--hang-timeout", value_of(train, "--hang-timeout")});
  return std::unique_ptr<Training>(new Training(run, first, resuming, limit, made));
}

}  // namespace mnist_dist::cli
