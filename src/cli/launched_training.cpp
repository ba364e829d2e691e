#include "launched_training.hpp"

#include "commands.hpp"
#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/run/run_folder.hpp"

namespace mnist_dist::cli {

std::unique_ptr<Training> Training::of(const Words& command) {
  if (command.front() != "train") return nullptr;
  CLI::App train;
  const RunCommand unused = add_train_command(train);
  try {
    train.parse(Words(command.rbegin(), command.rend() - 1));
  } catch (const CLI::Error&) {
    return nullptr;  // help, or words that are wrong: the ranks tell
  }
  const auto value = [&](const char* option) {
    return train.count(option) == 0 ? std::string() : train.get_option(option)->results().back();
  };
  if (train.count("--list-recipes") > 0) return nullptr;
  const bool has_limit = train.count("--hang-timeout") > 0;
  const std::chrono::seconds limit(has_limit ? train.get_option("--hang-timeout")->as<int>() : comm::kHangTimeout);
  if (const std::string run = value("--resume"); !run.empty()) {
    return std::unique_ptr<Training>(new Training(run, command, command, limit, false));
  }
  std::filesystem::path run = value("--output");
  Words first = command;
  const bool made = run.empty();
  if (made) {
    run = run::make_run_folder();
    first.insert(first.end(), {"-o", run.string()});
  } else if (std::filesystem::exists(run / "config.toml")) {
    return nullptr;  // another run, which must not be gone on with: the ranks tell
  }
  Words resuming = {"train", "--resume", run.string()};
  if (has_limit) resuming.insert(resuming.end(), {"--hang-timeout", value("--hang-timeout")});
  return std::unique_ptr<Training>(new Training(run, first, resuming, limit, made));
}

}  // namespace mnist_dist::cli
