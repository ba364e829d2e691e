#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "commands.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/output.hpp"
#include "mnist_dist/report/text_table.hpp"
#include "mnist_dist/run/past_run.hpp"
#include "run_results.hpp"

namespace mnist_dist::cli {
namespace {

std::vector<std::string> row_of(const run::FoundRun& found) {
  const std::string written = fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(found.written)));
  std::vector<std::string> row = {printable(found.path.string()), written};
  if (!found.run) {
    row.insert(row.end(), {"", "", "", "", "", "damaged"});
    return row;
  }
  const RunResults results = results_of(*found.run);
  row.insert(row.end(), {found.run->settings.recipe, results.epochs, results.score, results.test_accuracy,
                         results.seconds, results.state});
  return row;
}

int run_runs(const std::string& folder) {
  std::error_code ignored;
  const bool none_yet = folder == "runs" && !std::filesystem::exists(folder, ignored);
  const std::vector<run::FoundRun> runs = none_yet ? std::vector<run::FoundRun>() : run::find_runs(folder);
  if (runs.empty()) {
    print_output(fmt::format("no runs in {}: `mnist-dist train` makes one\n", printable(folder)));
    return static_cast<int>(ExitCode::done);
  }
  report::TextTable table({"run", "when (UTC)", "recipe", "epochs", "score", "test", "seconds", "state"});
  for (const run::FoundRun& found : runs) table.add_row(row_of(found));
  print_output(table.text());
  for (const run::FoundRun& found : runs) {
    if (!found.run) print_output(fmt::format("\n{} is damaged: {}\n", printable(found.path.string()), found.damage));
  }
  return static_cast<int>(ExitCode::done);
}

}  // namespace

RunCommand add_runs_command(CLI::App& command) {
  const auto folder = std::make_shared<std::string>("runs");
  command.add_option("FOLDER", *folder, "where they lie, also in folders of it")->capture_default_str();
  return [folder] { return run_runs(*folder); };
}

}  // namespace mnist_dist::cli
