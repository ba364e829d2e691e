#include "mnist_dist/cli/program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "commands.hpp"
#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/core/build_info.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/log.hpp"
#include "mnist_dist/core/stop_request.hpp"
#include "mnist_dist/data/dataset_guard.hpp"

namespace mnist_dist::cli {
namespace {

constexpr const char* kFooter =
    "exit codes: 0 done, 2 usage, 3 bad input data, 4 file system, 5 a rank failed or hung, 70 a bug,\n"
    "            75 stopped early with a checkpoint saved: run it again with --resume\n"
    "\n"
    "example:    h5pack pack digits/ mnist.h5\n"
    "            mpirun -np 8 mnist-dist train && mnist-dist evaluate";

struct Command {
  const char* name;
  const char* description;
  RunCommand (*add)(CLI::App&);
  bool parallel;  ///< the others run once, however many ranks were started
};

constexpr std::array kCommands = {
    Command{"train", "Train on a data set, alone or under mpirun or srun", add_train_command, true},
    Command{"bench", "Measure a training step against what this machine can do", add_bench_command, true},
    Command{"evaluate", "Measure a model on the test images", add_evaluate_command, true},
    Command{"report", "Show a run, or several, on one HTML page", add_report_command, false},
    Command{"predict", "Classify image files", add_predict_command, false},
    Command{"preview-augmentation", "Draw training images as augmentation changes them", add_preview_command, false},
    Command{"info", "Tell what a model, checkpoint, data set or run folder holds", add_info_command, false},
};

/// "train, bench, ... and info"
std::string command_names() {
  std::string names = kCommands.front().name;
  for (const Command& command : std::span(kCommands).subspan(1)) {
    names += fmt::format("{}{}", &command == &kCommands.back() ? " and " : ", ", command.name);
  }
  return names;
}

/// What is wrong with the command line, on one line, with the way out.
std::string usage_error(const CLI::App& app, const CLI::ParseError& error, int argc, const char* const* argv) {
  const auto chosen = app.get_subcommands();
  std::string message = error.what();
  if (chosen.empty() && error.get_name() == "RequiredError") {
    message =
        fmt::format("{}; the commands are {}",
                    argc < 2 ? "a command is missing" : fmt::format("'{}' is not a command", argv[1]), command_names());
  }
  std::ranges::replace(message, '\n', ' ');
  return fmt::format("{}; see `mnist-dist{} --help`", message, chosen.empty() ? "" : " " + chosen.front()->get_name());
}

}  // namespace

int run_program(int argc, const char* const* argv) {
  if (argc == 3 && std::string_view(argv[1]) == data::kProbeCommand) {
    data::probe_dataset(argv[2]);
    return 0;
  }
  // Before anything that takes time. Whoever stops another command loses nothing.
  if (argc > 1 && std::string_view(argv[1]) == kCommands.front().name) catch_stop_signals();
  // Every rank parses its arguments, which are the same as a rule; one of them speaks.
  const bool speaks = comm::rank_by_launcher() == 0;
  set_log_identity("mnist-dist", speaks);

  CLI::App app("Data-parallel training of a multilayer perceptron on image classes, with many MPI ranks on CPUs.",
               "mnist-dist");
  app.set_version_flag("--version", build_description());
  app.footer(kFooter);
  app.require_subcommand(1);
  std::vector<RunCommand> runs;
  runs.reserve(kCommands.size());
  for (const Command& command : kCommands) {
    runs.push_back(command.add(*app.add_subcommand(command.name, command.description)));
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& request) {  // --help, --version
    if (speaks) app.exit(request);
    return 0;
  } catch (const CLI::ParseError& error) {
    const std::string message = usage_error(app, error, argc, argv);
    // A launcher ends all ranks when the first of them ends so: not before the one that speaks has spoken.
    if (comm::ranks_by_launcher() > 1) const comm::Environment environment(comm::kHangTimeout, message);
    throw Error(ExitCode::usage, message);
  }
  for (std::size_t i = 0; i < kCommands.size(); ++i) {
    if (app.got_subcommand(kCommands[i].name)) return speaks || kCommands[i].parallel ? runs[i]() : 0;
  }
  throw Error(ExitCode::bug, "no command was run");
}

}  // namespace mnist_dist::cli
