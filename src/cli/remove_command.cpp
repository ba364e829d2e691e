#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "commands.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/output.hpp"
#include "mnist_dist/run/past_run.hpp"

namespace mnist_dist::cli {
namespace {

struct RemoveOptions {
  std::vector<std::string> runs;
  bool yes = false;
};

/// What is not answered is not agreed to.
bool agreed(const std::string& run) {
  print_output(fmt::format("remove {}? [y/N] ", run));
  flush_output();
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

void remove(const run::RunFolder& folder) {
  const std::string name = printable(folder.path().string());
  const std::vector<std::string> left = run::remove_run(folder);
  if (left.empty()) {
    print_output(fmt::format("removed {}\n", name));
  } else {
    print_output(fmt::format("removed the run in {}; what it did not write stays: {}\n", name,
                             printable(fmt::format("{}", fmt::join(left, ", ")))));
  }
}

int run_remove(const RemoveOptions& options) {
  // All are locked before the first is touched, so that a wrong name removes nothing.
  std::vector<run::RunFolder> folders;
  for (const std::string& run : options.runs) folders.push_back(run::RunFolder::open_for_writing(run));
  for (const run::RunFolder& folder : folders) {
    const std::string name = printable(folder.path().string());
    if (options.yes || agreed(name)) {
      remove(folder);
    } else {
      print_output(fmt::format("kept {}\n", name));
    }
  }
  return static_cast<int>(ExitCode::done);
}

}  // namespace

RunCommand add_remove_command(CLI::App& command) {
  const auto options = std::make_shared<RemoveOptions>();
  command.add_option("RUN", options->runs, "the folders of the runs; other files in them stay")->required();
  command.add_flag("-y,--yes", options->yes, "do not ask");
  return [options] { return run_remove(*options); };
}

}  // namespace mnist_dist::cli
