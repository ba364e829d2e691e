#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
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

struct Compared {
  run::PastRun run;
  std::optional<run::Model> model;  // nothing before the first epoch is done
};

Compared read(const std::string& path) {
  Compared compared{.run = run::read_past_run(path), .model = {}};
  const std::filesystem::path model = run::model_file(path);
  if (std::filesystem::exists(model)) compared.model = run::load_model(model);
  return compared;
}

/// In what they differ: a row for each, or a line that says that there is nothing.
void print_differences(const std::vector<std::string>& paths, const Compared& first, const Compared& second) {
  std::vector<run::Difference> all = run::differences(first.run.settings, second.run.settings);
  if (first.model && second.model) {
    const std::vector<run::Difference> more = run::differences(*first.model, *second.model);
    all.insert(all.end(), more.begin(), more.end());
  }
  if (all.empty()) {
    print_output("settings, data and build are the same\n");
    return;
  }
  report::TextTable table({"what differs", printable(paths[0]), printable(paths[1])});
  for (const run::Difference& difference : all) {
    table.add_row({difference.what, printable(difference.first), printable(difference.second)});
  }
  print_output(table.text());
}

void print_results(const std::vector<std::string>& paths, const Compared& first, const Compared& second) {
  const RunResults one = results_of(first.run);
  const RunResults other = results_of(second.run);
  const auto hash = [](const Compared& compared) {
    return compared.model ? fmt::format("{:.16}", run::parameters_sha256(*compared.model)) : std::string("-");
  };
  report::TextTable table({"what came out", printable(paths[0]), printable(paths[1])});
  table.add_row({"state", one.state, other.state});
  table.add_row({"epochs", one.epochs, other.epochs});
  table.add_row({"best epoch", one.best_epoch, other.best_epoch});
  table.add_row({"score", one.score, other.score});
  table.add_row({"holdout accuracy", one.holdout_accuracy, other.holdout_accuracy});
  table.add_row({"loss", one.loss, other.loss});
  table.add_row({"test accuracy", one.test_accuracy, other.test_accuracy});
  table.add_row({"seconds", one.seconds, other.seconds});
  table.add_row({"parameters' SHA-256", hash(first), hash(second)});
  print_output("\n" + table.text());
}

int run_compare(const std::vector<std::string>& paths) {
  const Compared first = read(paths[0]);
  const Compared second = read(paths[1]);
  print_differences(paths, first, second);
  print_results(paths, first, second);
  return static_cast<int>(ExitCode::done);
}

}  // namespace

RunCommand add_compare_command(CLI::App& command) {
  const auto paths = std::make_shared<std::vector<std::string>>();
  command.add_option("RUN", *paths, "the folders of two runs")->required()->expected(2);
  return [paths] { return run_compare(*paths); };
}

}  // namespace mnist_dist::cli
