// h5pack: folders of images in, a data set file for mnist-dist out.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "commands.hpp"
#include "interruption.hpp"
#include "mnist_dist/core/allowed_values.hpp"
#include "mnist_dist/core/build_info.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/help_text.hpp"
#include "mnist_dist/core/log.hpp"
#include "mnist_dist/core/nearest_word.hpp"
#include "mnist_dist/core/output.hpp"
#include "mnist_dist/core/processors.hpp"
#include "mnist_dist/data/dataset_guard.hpp"

namespace mnist_dist::h5pack {

unsigned default_jobs() {
  const std::size_t usable = usable_cpus().size();
  return std::max(1U, usable > 0 ? static_cast<unsigned>(usable) : static_cast<unsigned>(cpus_of_machine()));
}

namespace {

class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    return help_entry(make_option_name(option, is_positional) + make_option_opts(option), make_option_desc(option));
  }
  std::string make_subcommand(const CLI::App* command) const override {
    return help_entry(command->get_name(), command->get_description());
  }
  std::string make_description(const CLI::App* app) const override { return wrapped("", app->get_description(), 0); }
  std::string make_footer(const CLI::App* app) const override {
    return app->get_footer().empty() ? "" : wrapped("", app->get_footer(), 0);
  }
};

void add_commands(CLI::App& app) {
  app.formatter(std::make_shared<HelpFormatter>());
  app.require_subcommand(1);
  app.option_defaults()->always_capture_default();
  app.set_version_flag("--version", fmt::format("h5pack {}", version()), "Print the version and exit");
  add_pack_command(app);
  add_info_command(app);
  add_verify_command(app);
  add_synth_command(app);
  app.footer(
      "h5pack COMMAND --help explains a command. Exit codes: 0 done, 2 wrong usage, 3 bad input data, "
      "4 file system.");
}

int report_usage(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
  std::string what = error.what();
  std::string command = "h5pack";
  for (const CLI::App* chosen : app.get_subcommands()) command += " " + chosen->get_name();
  if (app.get_subcommands().empty()) {
    const std::vector<std::string> unknown = app.remaining();
    std::vector<std::string> known;
    for (const CLI::App* offered : app.get_subcommands({})) known.push_back(offered->get_name());
    what = unknown.empty()
               ? "a command is missing"
               : fmt::format("{} is neither a command nor an option{}", unknown[0], did_you_mean(unknown[0], known));
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) what = wanted_values(what);
  log_error(fmt::format("{}; see {} --help", printable(what), command));
  return static_cast<int>(ExitCode::usage);
}

// Runs the command. What was printed must have reached its reader, such as a file on a full disk.
int run(CLI::App& app, int argument_count, char** arguments) {
  auto exit_code = static_cast<int>(ExitCode::done);
  try {
    app.parse(argument_count, arguments);
  } catch (const CLI::ParseError& error) {
    exit_code = report_usage(app, error);
  }
  flush_output();
  return exit_code;
}

}  // namespace
}  // namespace mnist_dist::h5pack

int main(int argument_count, char** arguments) {
  using namespace mnist_dist;
  using namespace mnist_dist::h5pack;
  set_log_identity("h5pack");
  catch_interruptions();
  CLI::App app{"Packs folders of images into one HDF5 file, the data set that mnist-dist trains on.", "h5pack"};
  try {
    if (argument_count == 3 && std::string_view(arguments[1]) == data::kProbeCommand) {
      data::probe_dataset(arguments[2]);
      return 0;
    }
    add_commands(app);
    return run(app, argument_count, arguments);
  } catch (const Interrupted& interrupted) {
    log_error("interrupted; what was begun is taken back");
    end_by_signal(interrupted);
  } catch (const Error& error) {
    log_error(error.what());
    return static_cast<int>(error.exit_code());
  } catch (const std::bad_alloc&) {
    log_error("out of memory");
    return static_cast<int>(ExitCode::bug);
  } catch (const std::exception& error) {
    log_error(fmt::format("a fault of this program: {}", printable(error.what())));
    return static_cast<int>(ExitCode::bug);
  }
}
