#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commands.hpp"
#include "job.hpp"
#include "mnist_dist/comm/agreement.hpp"
#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/comm/comparison.hpp"
#include "mnist_dist/core/allowed_values.hpp"
#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/counted.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/output.hpp"
#include "mnist_dist/core/read_file.hpp"
#include "mnist_dist/core/sha256.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/data/holdout.hpp"
#include "mnist_dist/report/classification_report.hpp"
#include "mnist_dist/report/report_json.hpp"
#include "mnist_dist/report/report_text.hpp"
#include "mnist_dist/run/model.hpp"
#include "mnist_dist/train/scoring.hpp"

namespace mnist_dist::cli {
namespace {

struct EvaluateOptions {
  std::string data;
  std::string model;
  std::string report;
  std::string split = "test";
  int hang_timeout = comm::kHangTimeout;
};

/// Which images are evaluated.
struct Rows {
  data::Split split;
  std::vector<std::uint64_t> ids;
};

/// The rows of the holdout by which the model was chosen. @throws Error (bad_data) where they cannot be known
Rows holdout_rows(const run::Model& model, const data::DatasetFile& file, const std::string& model_path) {
  const auto fail = [&](const std::string& what) {
    throw Error(ExitCode::bad_data, fmt::format("{} {}", printable(model_path), what));
  };
  if (model.dataset_sha256 != file.content_sha256()) {
    fail(fmt::format("was not trained on {} (its data set has the content_sha256 {}), so its holdout is not in there",
                     printable(file.path().string()), printable(model.dataset_sha256)));
  }
  if (!model.holdout) fail("does not say which holdout it had: it is from an older mnist-dist; train anew");
  const std::vector<std::int32_t> labels = file.labels(data::Split::training);
  Rows rows{data::Split::training, data::holdout_of(file, labels, *model.holdout, model.seed).holdout_rows};
  if (rows.ids.empty()) fail("was trained without a holdout (--holdout 0)");
  return rows;
}

/// This rank's part of the rows, as counts. The parts begin at multiples of kScoringRows.
train::ConfusionMatrix score_my_part(const run::Model& model, const data::DatasetFile& file, const Rows& all,
                                     const comm::Communicator& world) {
  const std::size_t rows = all.ids.size();
  const std::size_t chunks = (rows + train::kScoringRows - 1) / train::kScoringRows;
  const auto start_of = [&](int rank) {
    const std::size_t chunk = chunks * static_cast<std::size_t>(rank) / static_cast<std::size_t>(world.size());
    return std::min(rows, chunk * train::kScoringRows);
  };
  const std::size_t first = start_of(world.rank());
  const auto my_ids = std::span(all.ids).subspan(first, start_of(world.rank() + 1) - first);

  const data::ImageRows mine(file, all.split, my_ids, file.labels(all.split));
  const nn::Network network(model.architecture, nn::standardizing(model.mean, model.standard_deviation));
  nn::Workspace workspace(model.architecture, train::kScoringRows);
  data::Batch batch(train::kScoringRows, model.architecture.inputs);
  train::ConfusionMatrix outcomes(model.classes.size());
  const std::vector<float> parameters = nn::with_padding(model.architecture, model.parameters);
  train::score_rows(network, parameters, mine, 0, mine.size(), batch, workspace, outcomes);
  return outcomes;
}

int run_evaluate(const EvaluateOptions& options) {
  // 1. Start MPI.
  const comm::Environment environment(options.hang_timeout);
  check_same_command("evaluate --split " + options.split);
  const comm::Communicator world = comm::Communicator::world();
  const bool on_holdout = options.split == "holdout";

  // 2. Every rank predicts its part.
  std::filesystem::path model_path;
  std::string data_path = options.data;
  std::optional<run::Model> model;
  std::optional<train::ConfusionMatrix> outcomes;
  std::string model_sha256;
  comm::run_and_agree(world, [&] {
    model_path = run::model_file(options.model);
    const std::vector<std::byte> bytes = read_file(model_path);
    model = run::decode_model(bytes, model_path);
    model_sha256 = sha256_hex(bytes);
    if (data_path.empty()) data_path = data_of_run(model_path);
  });
  comm::check_alike(world, {{"the SHA-256 of the model", model_sha256}}, ExitCode::bad_data);
  comm::check_alike(world, {{"the arithmetic", nn::arithmetic(nn::Products::automatic)}}, ExitCode::usage);
  const data::DatasetFile file = open_data(world, world.split_by_host(), data_path);
  comm::run_and_agree(world, [&] {
    check_fit(*model, file, model_path.string());
    const Rows rows =
        on_holdout ? holdout_rows(*model, file, model_path.string()) : Rows{data::Split::testing, test_rows(file)};
    if (world.rank() == 0) {
      print_line(fmt::format("{} on the {} of {}\n", printable(model_path.string()),
                             counted(rows.ids.size(), on_holdout ? "holdout image" : "test image"),
                             printable(data_path)));
      if (options.data.empty()) warn_of_other_data(*model, file, model_path);
    }
    outcomes = score_my_part(*model, file, rows, world);
  });
  world.sum(outcomes->counts());

  // 3. Rank 0 reports.
  comm::run_and_agree(world, [&] {
    if (world.rank() != 0) return;
    const std::filesystem::path report_path =
        options.report.empty() ? model_path.parent_path() / (on_holdout ? "report-holdout.json" : "report.json")
                               : std::filesystem::path(options.report);
    const report::ClassificationReport report = report::make_classification_report(*outcomes, model->classes);
    write_file_atomically(report_path, report::report_json(report, {file.content_sha256(), options.split}));
    if (on_holdout) print_output("on the holdout, by which the model was chosen: new images may be harder\n");
    print_output(fmt::format("{}\nreport   {}\n", report::report_text(report, report_path.string()),
                             printable(report_path.string())));
  });
  comm::Environment::finalize();
  return 0;
}

}  // namespace

RunCommand add_evaluate_command(CLI::App& command) {
  const auto options = std::make_shared<EvaluateOptions>();
  command.add_option("DATA,--data", options->data,
                     "the data set file with the images (default: the one that the run's config.toml names)");
  command.add_option("-m,--model", options->model,
                     "the model, or the folder of its run (default: the run trained last, by runs/latest)");
  command
      .add_option("--split", options->split,
                  "which images: test, or holdout (those of DATA that chose the model in training)")
      ->check(one_of({"test", "holdout"}))
      ->type_name("test|holdout")
      ->capture_default_str();
  command.add_option("-r,--report", options->report,
                     "where to write the report (default: report.json, or report-holdout.json, beside the model)");
  add_hang_timeout(command, options->hang_timeout);
  return [options] { return run_evaluate(*options); };
}

}  // namespace mnist_dist::cli
