#include "mnist_dist/cli/program.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "commands.hpp"
#include "help.hpp"
#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/core/allowed_values.hpp"
#include "mnist_dist/core/build_info.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/log.hpp"
#include "mnist_dist/core/stop_request.hpp"
#include "mnist_dist/data/dataset_guard.hpp"

namespace mnist_dist::cli {
namespace {

struct Command {
  const char* name;
  const char* description;
  RunCommand (*add)(CLI::App&);
  bool parallel;                ///< the others run once, however many ranks were started
  bool stops_early;             ///< a stop signal ends it at its first safe point, from its first instant on
  std::vector<ExitCode> codes;  ///< beside those that all have
  std::vector<std::string> example;
};

const std::vector<Command>& commands() {
  using enum ExitCode;
  static const std::vector<Command> all = {
      {"train",
       "Train on a data set, alone or under mpirun or srun",
       add_train_command,
       true,
       true,
       {bad_data, rank_failed, stopped_early},
       {"mnist-dist train mnist.h5 --recipe fast", "mpirun -np 2 mnist-dist train mnist.h5 --epochs 20 -o runs/two",
        "mnist-dist train --resume runs/two"}},
      {"launch",
       "Start mpirun with what it needs here, and train on after a rank or host is lost",
       add_launch_command,
       false,
       false,
       {bad_data, rank_failed, other_bits, unhealthy, stopped_early},
       {"mnist-dist launch -np 8 -- train mnist.h5 --recipe fast",
        "mnist-dist launch -np 8 --hosts a:4,b:4 -- train --resume runs/two"}},
      {"bench",
       "Measure a training step against what this machine can do",
       add_bench_command,
       true,
       false,
       {bad_data, rank_failed},
       {"mpirun -np 2 mnist-dist bench mnist.h5"}},
      {"doctor",
       "Tell what would go wrong on these hosts, before a job does",
       add_doctor_command,
       true,
       false,
       {rank_failed, unhealthy},
       {"mpirun -np 8 mnist-dist doctor mnist.h5 -o runs/one", "srun --mpi=pmix mnist-dist doctor"}},
      {"evaluate",
       "Measure a model on the test images",
       add_evaluate_command,
       true,
       false,
       {bad_data, rank_failed},
       {"mnist-dist evaluate", "mnist-dist evaluate other.h5 --model runs/two"}},
      {"report",
       "Show a run, or several, on one HTML page",
       add_report_command,
       false,
       false,
       {bad_data},
       {"mnist-dist report", "mnist-dist report runs/one runs/two"}},
      {"predict",
       "Classify image files",
       add_predict_command,
       false,
       false,
       {bad_data},
       {"mnist-dist predict digits/testing/7/*.png"}},
      {"preview-augmentation",
       "Draw training images as augmentation changes them",
       add_preview_command,
       false,
       false,
       {bad_data},
       {"mnist-dist preview-augmentation mnist.h5 --recipe fast"}},
      {"info",
       "Tell what a model, checkpoint, data set or run folder holds",
       add_info_command,
       false,
       false,
       {bad_data},
       {"mnist-dist info mnist.h5"}},
      {"runs",
       "List the runs: how far they are and what they reached",
       add_runs_command,
       false,
       false,
       {},
       {"mnist-dist runs"}},
      {"compare",
       "Tell in what two runs differ, and what they reached",
       add_compare_command,
       false,
       false,
       {bad_data},
       {"mnist-dist compare runs/one runs/two"}},
      {"reproduce",
       "Train a run again, and tell whether the same bits came out",
       add_reproduce_command,
       true,
       true,
       {bad_data, rank_failed, other_bits, stopped_early},
       {"mpirun -np 2 mnist-dist reproduce runs/one"}},
      {"remove",
       "Remove runs, after asking",
       add_remove_command,
       false,
       false,
       {},
       {"mnist-dist remove runs/one runs/two"}},
  };
  return all;
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const Command& command : commands()) names.emplace_back(command.name);
  return names;
}

/// `-np` is mpirun's word, which CLI11 would take for two options. From the command that launch starts on, all words
/// are that command's, with or without `--`.
void mark_launched_command(std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments.front() != "launch") return;
  const std::vector<std::string> names = command_names();
  for (auto word = arguments.begin() + 1; word != arguments.end() && *word != "--"; ++word) {
    if (*word == "-np") *word = "-n";
    if (std::ranges::find(names, *word) == names.end()) continue;
    arguments.insert(word, "--");
    return;
  }
}

/// CLI11 takes the next word for the value of `--name=`: it gets the empty one that is meant.
void keep_empty_values(std::vector<std::string>& arguments) {
  for (auto word = arguments.begin(); word != arguments.end() && *word != "--"; ++word) {
    if (!word->starts_with("--") || word->find('=') + 1 != word->size()) continue;
    word->pop_back();
    word = arguments.insert(word + 1, "");
  }
}

void refuse_empty_names(CLI::App& command) {
  for (CLI::Option* option : command.get_options({})) {
    // An empty --init-from takes back that of a file. What launch starts says by itself what is wrong with its words.
    const bool may_be_empty = option->check_name("--init-from") || option->check_name("COMMAND");
    if (option->get_type_name() != "TEXT" || !option->get_default_str().empty() || may_be_empty) continue;
    option->check(not_empty);
  }
}

}  // namespace

std::vector<std::string> parallel_commands() {
  std::vector<std::string> names;
  for (const Command& command : commands()) {
    if (command.parallel) names.emplace_back(command.name);
  }
  return names;
}

std::vector<ExitCode> codes_of(const std::string& command) {
  using enum ExitCode;
  std::vector<ExitCode> codes = {done, usage, file_system, bug};
  const std::vector<ExitCode>& own = std::ranges::find(commands(), command, &Command::name)->codes;
  codes.insert(codes.end(), own.begin(), own.end());
  return codes;
}

int run_program(int argc, const char* const* argv) {
  if (argc == 3 && std::string_view(argv[1]) == data::kProbeCommand) {
    data::probe_dataset(argv[2]);
    return 0;
  }
  std::vector<std::string> arguments = with_help_words({argv + 1, argv + argc}, command_names());
  mark_launched_command(arguments);
  keep_empty_values(arguments);
  const auto named = std::ranges::find_if(
      commands(), [&](const Command& command) { return !arguments.empty() && arguments.front() == command.name; });
  // Before anything that takes time. Whoever stops another command loses nothing.
  if (named != commands().end() && named->stops_early) catch_stop_signals();
  // Every rank parses its arguments, which are the same as a rule; one of them speaks.
  const bool speaks = comm::rank_by_launcher() == 0;
  set_log_identity("mnist-dist", speaks);

  CLI::App app("Data-parallel training of a multilayer perceptron on image classes, with many MPI ranks on CPUs.",
               "mnist-dist");
  app.formatter(help_formatter());
  app.set_help_flag("-h,--help", "print this help and exit");
  app.set_version_flag("--version", build_description(), "print the version and exit");
  app.footer(
      "`mnist-dist help COMMAND` explains a command.\n\n" +
      help_footer({}, {"h5pack synth digits            # or your own folder of images", "h5pack pack digits mnist.h5",
                       "mnist-dist train --recipe fast --epochs 10", "mnist-dist evaluate"}));
  app.require_subcommand(1);
  std::vector<RunCommand> runs;
  for (const Command& command : commands()) {
    CLI::App& added = *app.add_subcommand(command.name, command.description)->group("Commands");
    runs.push_back(command.add(added));
    refuse_empty_names(added);
    added.footer(help_footer(codes_of(command.name), command.example));
    added.set_help_flag();  // the last of its options
    added.set_help_flag("-h,--help", "print this help and exit")->group("Other");
  }

  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::Success& request) {  // --help, --version
    if (speaks) app.exit(request);
    return 0;
  } catch (const CLI::ParseError& error) {
    const std::string message = usage_error(app, error, arguments, command_names());
    // A launcher ends all ranks when the first of them ends so: not before the one that speaks has spoken.
    if (comm::ranks_by_launcher() > 1) const comm::Environment environment(comm::kHangTimeout, message);
    throw Error(ExitCode::usage, message);
  }
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (app.got_subcommand(commands()[i].name)) return speaks || commands()[i].parallel ? runs[i]() : 0;
  }
  throw Error(ExitCode::bug, "no command was run");
}

}  // namespace mnist_dist::cli
